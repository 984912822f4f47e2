-- Snapshots of what runs that are not stored yet. One that holds nothing has one row
-- without a reference.
insert into ingest.in_use_references by name
select arriving.* exclude (cluster, taken_at, kept_at)
from arriving_in_use as arriving
anti join ingest.in_use_snapshots using (snapshot_id)
where arriving.reference is not null;

insert into ingest.in_use_snapshots by name
select distinct
    arriving.snapshot_id,
    arriving.cluster,
    arriving.taken_at,
    arriving.kept_at,
from arriving_in_use as arriving
anti join ingest.in_use_snapshots using (snapshot_id);
