-- The latest runs.
select
    as_of,
    repository_count,
    repositories_complete,
    created_count,
    moved_count,
    deleted_count,
    tag_count,
    added_bytes,
    orphaned_bytes,
    deduplicated_after_bytes
from reports.daily_growth
order by as_of desc, run_id
limit 10;
