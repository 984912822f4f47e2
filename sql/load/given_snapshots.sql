-- What questions take for kept: what runs have loaded, and the landed that they have not.
create table intermediate.kept_snapshots as
select * from ingest.in_use_snapshots
union all by name
select distinct
    arriving.snapshot_id,
    arriving.cluster,
    arriving.taken_at,
    arriving.kept_at,
from arriving_in_use as arriving
anti join ingest.in_use_snapshots using (snapshot_id);

create table intermediate.kept_references as
select * from ingest.in_use_references
union all by name
select arriving.* exclude (cluster, taken_at, kept_at)
from arriving_in_use as arriving
anti join ingest.in_use_snapshots using (snapshot_id)
where arriving.reference is not null;
