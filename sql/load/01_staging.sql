-- Chunks come one at a time: a second thread takes a tenth more processor time than it saves.
set threads = 1;

-- Blocks that are asked for anew from the system, again and again, take a tenth more
-- time. They are kept until the file is closed: as many as a load may take.
set block_allocator_memory = '128MB';

-- What one run is staged in: the columns of the tables, less those the loader fills.
create or replace temp table staged_tags as
select * exclude (manifest_kind, first_seen_at, last_seen_at)
from tags
limit 0;

create or replace temp table staged_counted as
select
    registry,
    namespace,
    repository,
    record_key,
    fingerprint,
    updated_at,
from ingest.counted_records
limit 0;

create or replace temp table staged_rejected as
select * exclude (run_id)
from ingest.rejected_records
limit 0;

create or replace temp table staged_crawls as
select
    * exclude (run_id, unseen_tag_count),
    false as lists_everything,
from ingest.crawls
limit 0;

create or replace temp table staged_repositories as
select
    registry,
    namespace,
    repository,
    is_public,
    api_size_bytes,
    api_tag_count,
    download_count,
    created_at,
    updated_at,
from repositories
limit 0;

create or replace temp table staged_registries as
select * exclude (first_seen_at, last_seen_at)
from registries
limit 0;

create or replace temp table staged_namespaces as
select * exclude (first_seen_at, last_seen_at, listed_at)
from ingest.namespaces
limit 0;

create or replace temp table staged_service_figures as
select * exclude (run_id)
from ingest.service_figures
limit 0;

create or replace temp table staged_retention_rules as
select
    * exclude (run_id, first_read_at, last_read_at),
    last_read_at as read_at,
from ingest.retention_rules
limit 0;

create or replace temp table staged_retention_log as
select * exclude (run_id)
from ingest.retention_log
limit 0;

create or replace temp table staged_run as
select *
from ingest.runs
limit 0;
