-- One row per live repository and run that found another count of pulls than the run
-- before, since it was made. is_use: somebody else has pulled, or may have; what our own
-- pulls (of manifests and configurations) can explain is no use.
create or replace table intermediate.pull_counts as
with
found as (
    select
        repos.repository_key,
        repos.registry,
        repos.namespace,
        repos.repository,
        runs.as_of,
        counts.download_count,
        lag(counts.download_count) over in_order as count_before,
        lag(runs.as_of) over in_order as as_of_before
    from ingest.download_counts as counts
    inner join ingest.runs on counts.run_id = runs.run_id
    inner join intermediate.live_repositories as repos
        on counts.registry = repos.registry
        and counts.namespace = repos.namespace
        and counts.repository = repos.repository
    where runs.as_of >= repos.first_seen_at
    window in_order as (partition by repos.repository_key order by runs.as_of)
)

select
    found.repository_key,
    found.as_of,
    found.download_count,
    coalesce(
        found.download_count < found.count_before
        or found.download_count - found.count_before > count(pulls.digest),
        true
    ) as is_use
from found
left join ingest.pulls
    on found.registry = pulls.registry
    and found.namespace = pulls.namespace
    and found.repository = pulls.repository
    and pulls.kind <> 'blob'
    and pulls.outcome <> 'missing'
    and found.as_of_before <= pulls.asked_at
    and found.as_of > pulls.asked_at
group by
    found.repository_key, found.as_of, found.download_count, found.count_before;
