-- One row per snapshot that counts, with whether it is its cluster's latest.
create or replace table intermediate.used_snapshots as
select
    snapshots.snapshot_id,
    snapshots.cluster,
    snapshots.taken_at,
    row_number() over (
        partition by snapshots.cluster
        order by snapshots.taken_at desc, snapshots.snapshot_id desc
    ) = 1 as is_latest
from intermediate.kept_snapshots as snapshots
cross join intermediate.in_use_window as counted
where snapshots.taken_at >= counted.oldest_at;
