-- One row per stored blob and run in which it, or what we knew of it, changed.
-- was_live, is_live: reachable from a live tag before and after the run.
-- was_found: reachable before the run as we know now, though not as we knew then.
-- size_before_bytes, size_bytes: smallest size stated until before, until after the run.
create or replace temp table blob_changes as
with
lifetimes as (select * from manifest_lifetimes),
contents as (select * from manifest_blobs),
statements as (select * from blob_statements),

stays as (
    select
        contents.blob_key,
        contents.since_run_key,
        lifetimes.from_run_key,
        lifetimes.to_run_key,
        case
            when contents.since_run_key > lifetimes.from_run_key
                then contents.since_run_key
            else lifetimes.from_run_key
        end as counted_run_key
    from contents
    inner join lifetimes on contents.root_key = lifetimes.manifest_key
),

changes as (
    select
        blob_key,
        first_run_key as run_key,
        0 as difference,
        false as was_found,
        size_bytes
    from statements
    union all
    select blob_key, counted_run_key, 1, false, null
    from stays
    where to_run_key is null or counted_run_key < to_run_key
    union all
    select blob_key, to_run_key, -1, false, null
    from stays
    where counted_run_key < to_run_key
    union all
    select blob_key, since_run_key, 0, true, null
    from stays
    where
        since_run_key > from_run_key
        and (to_run_key is null or since_run_key <= to_run_key)
),

totals as (
    select
        blob_key,
        run_key,
        sum(difference) as difference,
        bool_or(was_found) as was_found,
        min(size_bytes) as size_bytes
    from changes
    group by blob_key, run_key
),

running as (
    select
        blob_key,
        run_key,
        difference,
        was_found,
        sum(difference) over blob_runs as user_count,
        min(size_bytes) over blob_runs as size_bytes,
        min(size_bytes) over earlier_runs as size_before_bytes
    from totals
    window
        blob_runs as (
            partition by blob_key
            order by run_key
            rows between unbounded preceding and current row
        ),
        earlier_runs as (
            partition by blob_key
            order by run_key
            rows between unbounded preceding and 1 preceding
        )
)

select
    blob_key,
    run_key,
    user_count - difference > 0 as was_live,
    was_found,
    user_count > 0 as is_live,
    size_before_bytes,
    size_bytes
from running
where user_count > 0 or user_count - difference > 0 or was_found;
