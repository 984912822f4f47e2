-- One row per run: whether something was unread or in doubt when it had ended, and whether
-- neither was. What it saw orphaned may then still be used. Of runs before the latest only
-- this is known: how complete they were, and which parts of live tags were not read then.
create or replace temp table run_reading as
with
stays as (
    select
        lifetimes.from_run_key,
        least(lifetimes.to_run_key, sizes.read_run_key) as to_run_key
    from manifest_lifetimes as lifetimes
    inner join manifest_sizes as sizes on lifetimes.manifest_key = sizes.manifest_key
    where sizes.read_run_key is null or sizes.read_run_key > lifetimes.from_run_key
),

changes as (
    select from_run_key as run_key, 1 as difference from stays
    union all
    select to_run_key as run_key, -1 as difference from stays where to_run_key is not null
    union all
    select run_key, 0 as difference from run_numbers
),

totals as (
    select run_key, sum(difference) as difference from changes group by run_key
),

counts as (
    select run_key, sum(difference) over (order by run_key) as unread_count from totals
),

latest as (
    select
        run.run_id,
        reading.unread_count > 0 as is_unread,
        reading.is_in_doubt,
        gaps.gap_count = 0 as is_fully_read
    from latest_run as run
    cross join reading
    cross join (select count(*) as gap_count from reports.gaps) as gaps
)

select
    runs.run_key,
    coalesce(latest.is_unread, counts.unread_count > 0 or not runs.is_complete)
        as is_unread,
    coalesce(latest.is_in_doubt, false) as is_in_doubt,
    coalesce(latest.is_fully_read, counts.unread_count = 0 and runs.is_complete)
        as is_fully_read
from run_numbers as runs
inner join counts on runs.run_key = counts.run_key
left join latest on runs.run_id = latest.run_id;
