-- One row per run: how the registry's deduplicated bytes changed. As far as sizes are
-- known: after = before + added - orphaned + learned. learned is what the run taught us
-- of blobs that were there already: sizes, resolved children, smaller statements.
create or replace table reports.daily_growth as
with
flows as (
    select
        run_key,
        sum(case when is_live and not (was_live or was_found) then size_bytes end)
            as added_bytes,
        sum(case when (was_live or was_found) and not is_live then size_bytes end)
            as orphaned_bytes,
        sum(
            case when was_live or was_found then coalesce(size_bytes, 0) else 0 end
            - case when was_live then coalesce(size_before_bytes, 0) else 0 end
        ) as learned_bytes
    from blob_changes
    group by run_key
),

events as (
    select
        from_run_key as run_key,
        sum(case when change = 'created' then 1 else 0 end) as created_count,
        sum(case when change = 'moved' then 1 else 0 end) as moved_count,
        sum(case when change in ('deleted', 'forgotten') then 1 else 0 end)
            as deleted_count,
        sum(case when change = 'restored' then 1 else 0 end) as restored_count
    from history_runs
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

counted as (
    select
        runs.run_key,
        runs.run_id,
        runs.as_of,
        coalesce(readings.repository_count, 0) as repository_count,
        coalesce(readings.repositories_complete, 0) as repositories_complete,
        coalesce(events.created_count, 0) as created_count,
        coalesce(events.moved_count, 0) as moved_count,
        coalesce(events.deleted_count, 0) as deleted_count,
        coalesce(events.restored_count, 0) as restored_count,
        coalesce(flows.added_bytes, 0) as added_bytes,
        coalesce(flows.orphaned_bytes, 0) as orphaned_bytes,
        coalesce(flows.learned_bytes, 0) as learned_bytes
    from run_numbers as runs
    left join readings on runs.run_id = readings.run_id
    left join events on runs.run_key = events.run_key
    left join flows on runs.run_key = flows.run_key
),

balanced as (
    select
        *,
        sum(created_count + restored_count - deleted_count) over (order by run_key)
            as tag_count,
        sum(added_bytes - orphaned_bytes + learned_bytes) over (order by run_key)
            as deduplicated_after_bytes
    from counted
)

select
    run_id,
    as_of,
    cast(as_of at time zone 'UTC' as date) as day,
    cast(repository_count as bigint) as repository_count,
    cast(repositories_complete as bigint) as repositories_complete,
    cast(created_count as bigint) as created_count,
    cast(moved_count as bigint) as moved_count,
    cast(deleted_count as bigint) as deleted_count,
    cast(restored_count as bigint) as restored_count,
    cast(tag_count as bigint) as tag_count,
    cast(
        deduplicated_after_bytes - added_bytes + orphaned_bytes - learned_bytes as bigint
    ) as deduplicated_before_bytes,
    cast(added_bytes as bigint) as added_bytes,
    cast(orphaned_bytes as bigint) as orphaned_bytes,
    cast(learned_bytes as bigint) as learned_bytes,
    cast(deduplicated_after_bytes as bigint) as deduplicated_after_bytes
from balanced
order by run_key;

comment on table reports.daily_growth is 'One row per run: how the registry''s deduplicated bytes changed, as far as sizes were known.';
comment on column reports.daily_growth.run_id is 'The run.';
comment on column reports.daily_growth.as_of is 'The moment the run describes.';
comment on column reports.daily_growth.day is 'Calendar day of as_of, UTC.';
comment on column reports.daily_growth.repository_count is 'Repositories the run crawled or tried to.';
comment on column reports.daily_growth.repositories_complete is 'Of these, those whose crawl was complete or unchanged.';
comment on column reports.daily_growth.created_count is 'Tags the run saw for the first time.';
comment on column reports.daily_growth.moved_count is 'Tags it saw on another digest.';
comment on column reports.daily_growth.deleted_count is 'Tags it found gone.';
comment on column reports.daily_growth.restored_count is 'Tags it found back again.';
comment on column reports.daily_growth.tag_count is 'Live tags after the run.';
comment on column reports.daily_growth.deduplicated_before_bytes is 'Known bytes of the distinct stored blobs live tags reached before the run.';
comment on column reports.daily_growth.added_bytes is 'Blobs live tags reach after the run and did not before.';
comment on column reports.daily_growth.orphaned_bytes is 'Blobs live tags reached before the run and do not after; the sum of its tag_events.';
comment on column reports.daily_growth.learned_bytes is 'What the run taught us of blobs that were reachable already: sizes that became known, children resolved; negative where a smaller size was stated.';
comment on column reports.daily_growth.deduplicated_after_bytes is 'Known bytes after the run: before + added - orphaned + learned.';
