-- Some snapshots go; then their references do.
delete from ingest.in_use_snapshots where snapshot_id in (select unnest($snapshots))
