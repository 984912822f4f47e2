-- One row per run that left something unread, or after which a live tag had an unread
-- part: what it saw orphaned may still be used.
create or replace temp table unread_runs as
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
)

select runs.run_key
from run_numbers as runs
inner join counts on runs.run_key = counts.run_key
where counts.unread_count > 0 or not runs.is_complete;
