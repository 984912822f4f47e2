-- The latest run.
select
    deduplicated_after_bytes as deduplicated_bytes,
    added_bytes,
    orphaned_bytes,
    created_count,
    moved_count,
    deleted_count
from reports.daily_growth
order by as_of desc, run_id
limit 1;
