-- One row per stored blob and run in which it, or what we knew of it, changed.
-- was_live, is_live: reachable from a live tag before and after the run.
-- was_found: reachable before the run as we know now, though not as we knew then.
-- size_before_bytes, size_bytes: smallest size stated until before, until after the run.
create or replace table intermediate.blob_changes as
with
stays as (
    select
        contents.blob_key,
        contents.since_run_key,
        lifetimes.from_run_key,
        lifetimes.to_run_key,
        greatest(contents.since_run_key, lifetimes.from_run_key) as counted_run_key
    from intermediate.manifest_blobs as contents
    inner join intermediate.manifest_lifetimes as lifetimes
        on contents.root_key = lifetimes.manifest_key
),

turns as (
    select 'counted' as turn
    union all
    select 'over' as turn
    union all
    select 'found' as turn
),

-- All turns of a stay at once: reading the stays again for each takes too much memory.
changes as (
    select
        blob_key,
        first_run_key as run_key,
        0 as difference,
        false as was_found,
        size_bytes
    from intermediate.blob_statements
    union all
    select
        stays.blob_key,
        case turns.turn
            when 'counted' then stays.counted_run_key
            when 'over' then stays.to_run_key
            else stays.since_run_key
        end as run_key,
        case turns.turn when 'counted' then 1 when 'over' then -1 else 0 end
            as difference,
        turns.turn = 'found' as was_found,
        null as size_bytes
    from stays
    cross join turns
    where case turns.turn
        when 'counted'
            then stays.to_run_key is null or stays.counted_run_key < stays.to_run_key
        when 'over' then stays.counted_run_key < stays.to_run_key
        else
            stays.since_run_key > stays.from_run_key
            and (stays.to_run_key is null or stays.since_run_key <= stays.to_run_key)
    end
),

totals as (
    select
        blob_key,
        run_key,
        cast(sum(difference) as integer) as difference,
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
