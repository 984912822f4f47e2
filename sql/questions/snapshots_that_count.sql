-- One row per snapshot of what runs that counts.
select snapshot_id, cluster, taken_at
from intermediate.used_snapshots
order by taken_at, snapshot_id;
