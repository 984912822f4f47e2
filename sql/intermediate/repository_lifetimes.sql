-- One row per repository, manifest and unbroken series of runs after which some tag of
-- the repository pointed at it: from from_run_key until before to_run_key (null: still).
create or replace table intermediate.repository_lifetimes as
with
intervals as (
    select
        repos.place,
        history.manifest_key,
        history.from_run_key,
        history.to_run_key
    from intermediate.history_runs as history
    inner join intermediate.history_repositories as repos
        on history.registry = repos.registry
        and history.namespace = repos.namespace
        and history.repository = repos.repository
    where history.from_run_key is not null and history.manifest_key is not null
),

changes as (
    select place, manifest_key, from_run_key as run_key, 1 as difference
    from intervals
    union all
    select place, manifest_key, to_run_key as run_key, -1 as difference
    from intervals
    where to_run_key is not null
),

differences as (
    select place, manifest_key, run_key, sum(difference) as difference
    from changes
    group by place, manifest_key, run_key
),

counts as (
    select
        place,
        manifest_key,
        run_key,
        difference,
        sum(difference) over (partition by place, manifest_key order by run_key)
            as tag_count
    from differences
),

turns as (
    select
        place,
        manifest_key,
        run_key as from_run_key,
        tag_count > 0 as is_live,
        lead(run_key) over (partition by place, manifest_key order by run_key)
            as to_run_key
    from counts
    where (tag_count > 0) <> (tag_count - difference > 0)
)

select place, manifest_key, from_run_key, to_run_key
from turns
where is_live;
