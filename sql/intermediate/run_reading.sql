-- One row per run: what was not known when it had ended. What it saw orphaned may then
-- still be used, or may have been let go by others unseen. has_unread: a repository or
-- namespace may hold more. is_in_doubt: what is known of one may be over.
-- unread_before_count, unread_after_count: live tags before and after the run of which,
-- as it was known after it, something was not read. Of a run before the latest that has
-- left nothing behind only this is known by now: how complete it was, and which parts of
-- live tags were not read then. Counts of runs before the first new one say nothing.
create or replace table intermediate.run_reading as
with
unread as (
    select history.from_run_key, history.to_run_key, sizes.read_run_key
    from intermediate.history_runs as history
    inner join intermediate.manifest_sizes as sizes
        on history.manifest_key = sizes.manifest_key
    where
        sizes.read_run_key is null or sizes.read_run_key > history.from_run_key
),

-- Until before which runs each was live and unread after the run, and before it.
stays as (
    select
        'after' as side,
        from_run_key,
        least(to_run_key, read_run_key) as to_run_key
    from unread
    union all
    select
        'before' as side,
        from_run_key + 1 as from_run_key,
        least(to_run_key + 1, read_run_key) as to_run_key
    from unread
),

changes as (
    select side, from_run_key as run_key, 1 as difference
    from stays
    where to_run_key is null or to_run_key > from_run_key
    union all
    select side, to_run_key as run_key, -1 as difference
    from stays
    where to_run_key > from_run_key
    union all
    select 'none' as side, run_key, 0 as difference
    from intermediate.run_numbers
),

totals as (
    select
        run_key,
        sum(case when side = 'before' then difference else 0 end) as before_difference,
        sum(case when side = 'after' then difference else 0 end) as after_difference
    from changes
    group by run_key
),

counts as (
    select
        run_key,
        sum(before_difference) over (order by run_key) as unread_before_count,
        sum(after_difference) over (order by run_key) as unread_after_count
    from totals
),

latest as (
    select
        run.run_id,
        scopes.unread_count > 0 as has_unread,
        scopes.is_in_doubt,
        gaps.gap_count = 0 as is_fully_read
    from intermediate.latest_run as run
    cross join intermediate.scope_reading as scopes
    cross join (select count(*) as gap_count from reports.gaps) as gaps
    where scopes.scope = 'registry'
)

select
    runs.run_key,
    counts.unread_before_count,
    counts.unread_after_count,
    coalesce(latest.has_unread, told.has_unread, not runs.is_complete) as has_unread,
    coalesce(latest.is_in_doubt, told.is_in_doubt, false) as is_in_doubt,
    coalesce(
        latest.is_fully_read,
        told.is_fully_read,
        runs.is_complete and counts.unread_after_count = 0
    ) as is_fully_read
from intermediate.run_numbers as runs
inner join counts on runs.run_key = counts.run_key
left join intermediate.told_runs as told on runs.run_id = told.run_id
left join latest on runs.run_id = latest.run_id;
