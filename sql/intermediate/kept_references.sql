-- One row per snapshot and reference in it; a question adds those that no run has loaded.
create or replace table intermediate.kept_references as
select * from ingest.in_use_references;
