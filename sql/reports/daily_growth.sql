-- One row per run: how the registry's deduplicated bytes changed. As far as sizes are
-- known: after = before + added - orphaned + learned. learned is what the run taught us
-- of blobs that were there already: sizes, resolved children, smaller statements. Rows of
-- earlier runs stay as they are, and what is learned of them later belongs to the run
-- that learned it.
delete from reports.daily_growth
where run_id in (
    select runs.run_id
    from intermediate.run_numbers as runs
    inner join intermediate.new_history as new on runs.run_key >= new.first_run_key
);

insert into reports.daily_growth
with
flows as (
    select
        run_key,
        sum(case when is_live and not (was_live or was_found) then size_bytes end)
            as added_bytes,
        sum(case when (was_live or was_found) and not is_live then size_bytes end)
            as orphaned_bytes,
        sum(
            case when is_live then coalesce(size_bytes, 0) else 0 end
            - case when was_live then coalesce(size_before_bytes, 0) else 0 end
        ) as difference_bytes
    from intermediate.blob_changes
    group by run_key
),

events as (
    select
        from_run_key as run_key,
        sum(case when change = 'created' then 1 else 0 end) as created_count,
        sum(case when change = 'moved' then 1 else 0 end) as moved_count,
        sum(case when change = 'deleted' then 1 else 0 end) as deleted_count,
        sum(case when change = 'restored' then 1 else 0 end) as restored_count,
        sum(case when change = 'forgotten' then 1 else 0 end) as forgotten_count
    from intermediate.history_runs
    group by from_run_key
),

readings as (
    select
        run_id,
        count(*) as repository_count,
        sum(case when status in ('complete', 'unchanged') then 1 else 0 end)
            as repositories_complete
    from ingest.crawls
    group by run_id
),

-- What is live now, and what each new run changed of it, say what was live after it.
live as (
    select
        (
            select count(*)
            from intermediate.history_runs
            where
                to_run_key is null
                and from_run_key is not null
                and change not in ('deleted', 'forgotten')
        ) as tag_count,
        (select coalesce(sum(size_bytes), 0) from intermediate.blob_users)
            as known_bytes
),

counted as (
    select
        runs.run_key,
        runs.registry,
        runs.run_id,
        runs.as_of,
        runs.run_key >= new.first_run_key as is_new,
        reading.is_fully_read,
        reading.has_unread,
        reading.is_in_doubt,
        case when runs.run_key < new.first_run_key then told.deduplicated_after_bytes end
            as told_bytes,
        coalesce(readings.repository_count, 0) as repository_count,
        coalesce(readings.repositories_complete, 0) as repositories_complete,
        coalesce(events.created_count, 0) as created_count,
        coalesce(events.moved_count, 0) as moved_count,
        coalesce(events.deleted_count, 0) as deleted_count,
        coalesce(events.restored_count, 0) as restored_count,
        coalesce(events.forgotten_count, 0) as forgotten_count,
        coalesce(flows.added_bytes, 0) as added_bytes,
        coalesce(flows.orphaned_bytes, 0) as orphaned_bytes,
        coalesce(flows.difference_bytes, 0) as difference_bytes
    from intermediate.run_numbers as runs
    cross join intermediate.new_history as new
    inner join intermediate.run_reading as reading on runs.run_key = reading.run_key
    left join intermediate.told_runs as told on runs.run_id = told.run_id
    left join readings on runs.run_id = readings.run_id
    left join events on runs.run_key = events.run_key
    left join flows on runs.run_key = flows.run_key
),

summed as (
    select
        counted.*,
        live.tag_count - coalesce(
            sum(created_count + restored_count - deleted_count - forgotten_count)
                over later_runs,
            0
        ) as tag_count,
        coalesce(
            told_bytes,
            live.known_bytes - coalesce(sum(difference_bytes) over later_runs, 0)
        ) as after_bytes
    from counted
    cross join live
    window
        later_runs as (
            order by run_key
            rows between 1 following and unbounded following
        )
),

chained as (
    select
        *,
        lag(after_bytes, 1, 0) over (order by run_key) as before_bytes,
        lag(is_fully_read, 1, true) over (order by run_key) as was_fully_read
    from summed
)

select
    registry,
    run_id,
    as_of,
    cast(as_of at time zone 'UTC' as date) as day,
    cast(repository_count as bigint) as repository_count,
    cast(repositories_complete as bigint) as repositories_complete,
    cast(created_count as bigint) as created_count,
    cast(moved_count as bigint) as moved_count,
    cast(deleted_count as bigint) as deleted_count,
    cast(restored_count as bigint) as restored_count,
    cast(forgotten_count as bigint) as forgotten_count,
    cast(tag_count as bigint) as tag_count,
    try_cast(before_bytes as bigint) as deduplicated_before_bytes,
    try_cast(added_bytes as bigint) as added_bytes,
    try_cast(orphaned_bytes as bigint) as orphaned_bytes,
    try_cast(after_bytes - before_bytes - added_bytes + orphaned_bytes as bigint)
        as learned_bytes,
    try_cast(after_bytes as bigint) as deduplicated_after_bytes,
    case when is_fully_read and was_fully_read then 'exact' else 'estimate' end as basis,
    is_fully_read,
    has_unread,
    is_in_doubt
from chained
where is_new
order by run_key;

comment on table reports.daily_growth is 'One row per run: how the registry''s deduplicated bytes changed, as far as sizes were known.';
comment on column reports.daily_growth.registry is 'Short name of the registry.';
comment on column reports.daily_growth.run_id is 'The run.';
comment on column reports.daily_growth.as_of is 'The moment the run describes.';
comment on column reports.daily_growth.day is 'Calendar day of as_of, UTC.';
comment on column reports.daily_growth.repository_count is 'Repositories the run crawled or tried to.';
comment on column reports.daily_growth.repositories_complete is 'Of these, those whose crawl was complete or unchanged.';
comment on column reports.daily_growth.created_count is 'Tags the run saw for the first time.';
comment on column reports.daily_growth.moved_count is 'Tags it saw on another digest.';
comment on column reports.daily_growth.deleted_count is 'Tags it found gone.';
comment on column reports.daily_growth.restored_count is 'Tags it found back again.';
comment on column reports.daily_growth.forgotten_count is 'Tags forgotten by command.';
comment on column reports.daily_growth.tag_count is 'Live tags after the run.';
comment on column reports.daily_growth.deduplicated_before_bytes is 'Known bytes of the distinct stored blobs live tags reached before the run.';
comment on column reports.daily_growth.added_bytes is 'Blobs live tags reach after the run and did not before.';
comment on column reports.daily_growth.orphaned_bytes is 'Blobs live tags reached before the run and do not after; the sum of its tag_events.';
comment on column reports.daily_growth.learned_bytes is 'What the run taught us of blobs that were reachable already: sizes that became known, children resolved; negative where a smaller size was stated.';
comment on column reports.daily_growth.deduplicated_after_bytes is 'Known bytes after the run: before + added - orphaned + learned.';
comment on column reports.daily_growth.basis is 'exact where nothing was unread or in doubt in this run and the one before, else estimate; for all bytes of this row.';
comment on column reports.daily_growth.is_fully_read is 'Whether reports.gaps was empty after this run.';
comment on column reports.daily_growth.has_unread is 'Whether a repository or namespace may have held more than was known after this run.';
comment on column reports.daily_growth.is_in_doubt is 'Whether what was known of a repository might have been over after this run.';
