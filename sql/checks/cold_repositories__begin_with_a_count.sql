-- error
-- Each live repository has one row. Where it tells since when its count stands still, a run
-- found one just then.
select
    coalesce(sizes.namespace, cold.namespace) as namespace,
    coalesce(sizes.repository, cold.repository) as repository,
    cold.unchanged_since
from reports.repository_sizes as sizes
full join reports.cold_repositories as cold
    on sizes.registry = cold.registry
    and sizes.namespace = cold.namespace
    and sizes.repository = cold.repository
left join main.downloads
    on cold.registry = downloads.registry
    and cold.namespace = downloads.namespace
    and cold.repository = downloads.repository
    and cold.unchanged_since = downloads.as_of
where
    sizes.registry is null
    or cold.registry is null
    or (cold.unchanged_since is not null and downloads.as_of is null);
