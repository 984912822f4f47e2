-- One row per run and namespace whose tags or allocated bytes it changed: how, which is
-- what it changed of its repositories. Rows of earlier runs stay as they are.
create table if not exists reports.namespace_growth (
    registry varchar,
    run_id varchar,
    as_of timestamptz,
    day date,
    namespace varchar,
    created_count bigint,
    moved_count bigint,
    deleted_count bigint,
    restored_count bigint,
    forgotten_count bigint,
    allocated_before_bytes bigint,
    added_bytes bigint,
    orphaned_bytes bigint,
    learned_bytes bigint,
    shifted_bytes bigint,
    allocated_after_bytes bigint,
    basis varchar
);

delete from reports.namespace_growth
where run_id in (
    select runs.run_id
    from intermediate.run_numbers as runs
    inner join intermediate.new_history as new on runs.run_key >= new.first_run_key
);

insert into reports.namespace_growth
with
changed as (
    select
        runs.run_key,
        growth.registry,
        growth.run_id,
        growth.as_of,
        growth.day,
        growth.namespace,
        growth.basis,
        sum(growth.created_count) as created_count,
        sum(growth.moved_count) as moved_count,
        sum(growth.deleted_count) as deleted_count,
        sum(growth.restored_count) as restored_count,
        sum(growth.forgotten_count) as forgotten_count,
        sum(growth.added_bytes) as added_bytes,
        sum(growth.orphaned_bytes) as orphaned_bytes,
        sum(growth.learned_bytes) as learned_bytes,
        sum(growth.shifted_bytes) as shifted_bytes,
        sum(growth.allocated_after_bytes - growth.allocated_before_bytes)
            as difference_bytes
    from reports.repository_growth as growth
    inner join intermediate.run_numbers as runs on growth.run_id = runs.run_id
    inner join intermediate.new_history as new on runs.run_key >= new.first_run_key
    group by
        runs.run_key,
        growth.registry,
        growth.run_id,
        growth.as_of,
        growth.day,
        growth.namespace,
        growth.basis
),

held as (
    select repos.registry, repos.namespace, sum(shares.allocated_bytes) as allocated_bytes
    from intermediate.live_repositories as repos
    inner join intermediate.repository_shares as shares
        on repos.repository_key = shares.repository_key
    group by repos.registry, repos.namespace
),

summed as (
    select
        changed.*,
        coalesce(held.allocated_bytes, 0)
        - coalesce(sum(changed.difference_bytes) over later_runs, 0) as after_bytes
    from changed
    left join held
        on changed.registry = held.registry and changed.namespace = held.namespace
    window
        later_runs as (
            partition by changed.registry, changed.namespace
            order by changed.run_key
            rows between 1 following and unbounded following
        )
)

select
    registry,
    run_id,
    as_of,
    day,
    namespace,
    cast(created_count as bigint) as created_count,
    cast(moved_count as bigint) as moved_count,
    cast(deleted_count as bigint) as deleted_count,
    cast(restored_count as bigint) as restored_count,
    cast(forgotten_count as bigint) as forgotten_count,
    try_cast(after_bytes - difference_bytes as bigint) as allocated_before_bytes,
    try_cast(added_bytes as bigint) as added_bytes,
    try_cast(orphaned_bytes as bigint) as orphaned_bytes,
    try_cast(learned_bytes as bigint) as learned_bytes,
    try_cast(shifted_bytes as bigint) as shifted_bytes,
    try_cast(after_bytes as bigint) as allocated_after_bytes,
    basis
from summed
where
    created_count + moved_count + deleted_count + restored_count + forgotten_count > 0
    or added_bytes <> 0
    or orphaned_bytes <> 0
    or learned_bytes <> 0
    or shifted_bytes <> 0
order by run_key, registry, namespace;

comment on table reports.namespace_growth is 'One row per run and namespace whose tags or allocated bytes it changed.';
comment on column reports.namespace_growth.registry is 'Short name of the registry.';
comment on column reports.namespace_growth.run_id is 'The run.';
comment on column reports.namespace_growth.as_of is 'The moment the run describes.';
comment on column reports.namespace_growth.day is 'Calendar day of as_of, UTC.';
comment on column reports.namespace_growth.namespace is 'Namespace (organization).';
comment on column reports.namespace_growth.created_count is 'Tags the run saw for the first time.';
comment on column reports.namespace_growth.moved_count is 'Tags it saw on another digest.';
comment on column reports.namespace_growth.deleted_count is 'Tags it found gone.';
comment on column reports.namespace_growth.restored_count is 'Tags it found back again.';
comment on column reports.namespace_growth.forgotten_count is 'Tags forgotten by command.';
comment on column reports.namespace_growth.allocated_before_bytes is 'Its allocated bytes before the run, as they were known then.';
comment on column reports.namespace_growth.added_bytes is 'Its share of the blobs that were new to the registry. All rows of a run add up to daily_growth.';
comment on column reports.namespace_growth.orphaned_bytes is 'Its share of the blobs that no live tag of the registry reaches any more; the sum of its tag_events. All rows of a run add up to daily_growth.';
comment on column reports.namespace_growth.learned_bytes is 'What the run taught us of its blobs: sizes that became known, children resolved; negative where a smaller size was stated. All rows of a run add up to daily_growth.';
comment on column reports.namespace_growth.shifted_bytes is 'How its share of blobs that stayed changed, as it or others began or ceased to use them. All rows of a run add up to 0.';
comment on column reports.namespace_growth.allocated_after_bytes is 'Its allocated bytes after the run: before + added - orphaned + learned + shifted.';
comment on column reports.namespace_growth.basis is 'exact where nothing was unread or in doubt in this run and the one before, else estimate; for all bytes of this row.';
