-- What the service says of the whole account, as this run heard it.
insert into ingest.service_figures by name
select
    (select run_id from staged_run) as run_id,
    staged_service_figures.*,
from staged_service_figures
order by staged_service_figures.name;

-- How often each repository was pulled from, where that is another number than before. One
-- that was made anew is counted anew.
insert into ingest.download_counts by name
with latest as (
    select
        counts.namespace,
        counts.repository,
        arg_max(counts.download_count, runs.as_of) as download_count,
    from ingest.download_counts as counts
    inner join ingest.runs as runs using (registry, run_id)
    inner join repositories using (registry, namespace, repository)
    where
        counts.registry = getvariable('registry')
        and runs.as_of >= repositories.first_seen_at
    group by all
)

select
    listed.registry,
    (select run_id from staged_run) as run_id,
    listed.namespace,
    listed.repository,
    listed.download_count,
from staged_repositories as listed
left join latest using (namespace, repository)
where
    listed.download_count is not null
    and listed.download_count is distinct from latest.download_count
order by namespace, repository;
