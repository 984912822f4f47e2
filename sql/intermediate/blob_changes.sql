-- One row per stored blob and new run in which it, or what we knew of it, changed.
-- was_live, is_live: reachable from a live tag before and after the run.
-- was_found: reachable before the run as we know now, though not as we knew then.
-- size_before_bytes, size_bytes: smallest size stated until before, until after the run;
-- is_uncertain: whether then none or several were.
create or replace table intermediate.blob_changes as
with
changed_roots as (
    select distinct lifetimes.manifest_key
    from intermediate.manifest_lifetimes as lifetimes
    cross join intermediate.new_history as new
    where
        lifetimes.from_run_key >= new.first_run_key
        or lifetimes.to_run_key >= new.first_run_key
),

changed_blobs as (
    select distinct contents.blob_key
    from intermediate.manifest_blobs as contents
    cross join intermediate.new_history as new
    left join changed_roots as roots on contents.root_key = roots.manifest_key
    where
        roots.manifest_key is not null
        or contents.since_run_key >= new.first_run_key
    union
    select blob_key from intermediate.stored_blobs where not is_steady
),

stays as (
    select
        contents.blob_key,
        contents.since_run_key,
        lifetimes.from_run_key,
        lifetimes.to_run_key,
        greatest(contents.since_run_key, lifetimes.from_run_key) as counted_run_key
    from intermediate.manifest_blobs as contents
    inner join changed_blobs as changed on contents.blob_key = changed.blob_key
    inner join intermediate.manifest_lifetimes as lifetimes
        on contents.root_key = lifetimes.manifest_key
),

-- Blobs that were known late, or whose size changed: hardly any.
odd_blobs as (
    select blob_key from stays where since_run_key > from_run_key
    union
    select blob_key from intermediate.stored_blobs where not is_steady
),

-- Of all others only where the spells that they were live for begin and end. What began
-- while a stay that lasts had begun already changes nothing.
lasting as (
    select blob_key, min(counted_run_key) as from_run_key
    from stays
    where to_run_key is null
    group by blob_key
),

parts as (
    select stays.blob_key, stays.counted_run_key as from_run_key, stays.to_run_key
    from stays
    left join lasting on stays.blob_key = lasting.blob_key
    where
        stays.counted_run_key < stays.to_run_key
        and (
            lasting.from_run_key is null
            or stays.counted_run_key < lasting.from_run_key
        )
    union all
    select blob_key, from_run_key, null as to_run_key
    from lasting
),

reaching as (
    select
        blob_key,
        from_run_key,
        max(coalesce(to_run_key, 2147483647)) over until_now as until_run_key,
        max(coalesce(to_run_key, 2147483647)) over before as until_before_run_key,
        lead(from_run_key) over in_order as next_run_key
    from parts
    where blob_key not in (select blob_key from odd_blobs)
    window
        in_order as (partition by blob_key order by from_run_key, to_run_key),
        until_now as (
            partition by blob_key
            order by from_run_key, to_run_key
            rows between unbounded preceding and current row
        ),
        before as (
            partition by blob_key
            order by from_run_key, to_run_key
            rows between unbounded preceding and 1 preceding
        )
),

turns_of_spells as (
    select blob_key, from_run_key as run_key, true as is_live
    from reaching
    where coalesce(until_before_run_key < from_run_key, true)
    union all
    select blob_key, until_run_key as run_key, false as is_live
    from reaching
    where
        until_run_key < 2147483647
        and coalesce(next_run_key > until_run_key, true)
),

turns as (
    select 'counted' as turn
    union all
    select 'over' as turn
    union all
    select 'found' as turn
),

odd_changes as (
    select
        statements.blob_key,
        statements.first_run_key as run_key,
        0 as difference,
        false as was_found,
        statements.size_bytes
    from intermediate.blob_statements as statements
    inner join odd_blobs on statements.blob_key = odd_blobs.blob_key
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
    inner join odd_blobs on stays.blob_key = odd_blobs.blob_key
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
        min(size_bytes) as size_bytes,
        max(size_bytes) as largest_bytes
    from odd_changes
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
        max(largest_bytes) over blob_runs as largest_bytes,
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
),

found as (
    select
        turned.blob_key,
        turned.run_key,
        not turned.is_live as was_live,
        false as was_found,
        turned.is_live,
        blobs.size_bytes as size_before_bytes,
        blobs.size_bytes,
        blobs.is_uncertain
    from turns_of_spells as turned
    inner join intermediate.stored_blobs as blobs on turned.blob_key = blobs.blob_key
    union all
    select
        blob_key,
        run_key,
        user_count - difference > 0 as was_live,
        was_found,
        user_count > 0 as is_live,
        size_before_bytes,
        size_bytes,
        coalesce(size_bytes <> largest_bytes, true) as is_uncertain
    from running
    where user_count > 0 or user_count - difference > 0 or was_found
)

select found.*
from found
cross join intermediate.new_history as new
where found.run_key >= new.first_run_key;
