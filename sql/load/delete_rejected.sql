-- The rejected records of some runs go; what they count as stays in ingest.counted_records.
delete from ingest.rejected_records where run_id in (select unnest($runs))
