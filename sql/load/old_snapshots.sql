-- Snapshots that no report reads: taken before a moment, and too long before the latest run
-- for what it was set to and for what is set now.
select snapshots.snapshot_id
from ingest.in_use_snapshots as snapshots
cross join (
    select max(as_of) as as_of, arg_max_null(in_use_days, as_of) as in_use_days
    from ingest.runs
) as latest
where
    snapshots.taken_at < $before
    and snapshots.taken_at < latest.as_of - to_days(
        greatest($days, coalesce(latest.in_use_days, 30))::integer
    )
order by snapshots.snapshot_id
