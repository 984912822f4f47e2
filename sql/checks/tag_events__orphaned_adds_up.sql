-- error
-- The bytes a run's events orphaned add up to what the run orphaned.
with totals as (
    select run_id, sum(orphaned_bytes) as orphaned_bytes
    from reports.tag_events
    group by run_id
)

select
    coalesce(growth.run_id, totals.run_id) as run_id,
    growth.orphaned_bytes,
    totals.orphaned_bytes as event_bytes
from reports.daily_growth as growth
full join totals on growth.run_id = totals.run_id
where
    coalesce(growth.orphaned_bytes, 0) <> coalesce(totals.orphaned_bytes, 0)
    or growth.run_id is null;
