-- One row per manifest and unbroken series of runs after which some tag pointed at it:
-- from from_run_key until before to_run_key (null: still).
create or replace table intermediate.manifest_lifetimes as
with
changes as (
    select manifest_key, from_run_key as run_key, 1 as difference
    from intermediate.history_runs
    where from_run_key is not null
    union all
    select manifest_key, to_run_key as run_key, -1 as difference
    from intermediate.history_runs
    where from_run_key is not null and to_run_key is not null
),

differences as (
    select manifest_key, run_key, sum(difference) as difference
    from changes
    where manifest_key is not null
    group by manifest_key, run_key
),

counts as (
    select
        manifest_key,
        run_key,
        difference,
        sum(difference) over (partition by manifest_key order by run_key) as tag_count
    from differences
),

turns as (
    select
        manifest_key,
        run_key as from_run_key,
        tag_count > 0 as is_live,
        lead(run_key) over (partition by manifest_key order by run_key) as to_run_key
    from counts
    where (tag_count > 0) <> (tag_count - difference > 0)
)

select manifest_key, from_run_key, to_run_key
from turns
where is_live;
