-- References of snapshots that are gone.
delete from ingest.in_use_references
where snapshot_id not in (select snapshot_id from ingest.in_use_snapshots)
