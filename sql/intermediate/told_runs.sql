-- One row per run whose row of daily_growth an earlier building has written, with what of
-- it later runs need; the table is made here, before its first row.
create table if not exists reports.daily_growth (
    registry varchar,
    run_id varchar,
    as_of timestamptz,
    day date,
    repository_count bigint,
    repositories_complete bigint,
    created_count bigint,
    moved_count bigint,
    deleted_count bigint,
    restored_count bigint,
    forgotten_count bigint,
    tag_count bigint,
    deduplicated_before_bytes bigint,
    added_bytes bigint,
    orphaned_bytes bigint,
    learned_bytes bigint,
    deduplicated_after_bytes bigint,
    basis varchar,
    is_fully_read boolean,
    has_unread boolean,
    is_in_doubt boolean
);

create or replace table intermediate.told_runs as
select
    run_id,
    deduplicated_after_bytes,
    is_fully_read,
    has_unread,
    is_in_doubt
from reports.daily_growth;
