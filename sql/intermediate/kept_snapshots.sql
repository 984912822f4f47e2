-- One row per snapshot of what runs; a question adds those that no run has loaded yet.
create or replace table intermediate.kept_snapshots as
select * from ingest.in_use_snapshots;
