-- One row per repository, blob that a new run may have changed the users of, and unbroken
-- series of runs after which it was known to use it: from from_run_key until before
-- to_run_key (null: still). What no new run has touched was so before the first of them.
create or replace table intermediate.blob_uses as
with
changes as (
    select
        place,
        blob_key,
        greatest(since_run_key, from_run_key) as run_key,
        1 as difference
    from intermediate.touched_uses
    where to_run_key is null or greatest(since_run_key, from_run_key) < to_run_key
    union all
    select place, blob_key, to_run_key as run_key, -1 as difference
    from intermediate.touched_uses
    where greatest(since_run_key, from_run_key) < to_run_key
),

differences as (
    select place, blob_key, run_key, sum(difference) as difference
    from changes
    group by place, blob_key, run_key
),

counts as (
    select
        place,
        blob_key,
        run_key,
        difference,
        sum(difference) over (partition by place, blob_key order by run_key)
            as user_count
    from differences
),

turns as (
    select
        place,
        blob_key,
        run_key as from_run_key,
        user_count > 0 as is_used,
        lead(run_key) over (partition by place, blob_key order by run_key) as to_run_key
    from counts
    where (user_count > 0) <> (user_count - difference > 0)
),

touched as (select distinct place, blob_key from intermediate.touched_uses),

-- Of users that come and go hardly any blob has others that stay.
changed as (
    select turns.blob_key
    from turns
    cross join intermediate.new_history as new
    where
        turns.from_run_key >= new.first_run_key or turns.to_run_key >= new.first_run_key
    union
    select blob_key from intermediate.blob_changes
),

lasting as (
    select repos.place, used.blob_key
    from intermediate.repository_blobs as used
    inner join changed on used.blob_key = changed.blob_key
    inner join intermediate.history_repositories as repos
        on used.repository_key = repos.repository_key
    left join touched
        on repos.place = touched.place and used.blob_key = touched.blob_key
    where touched.place is null
)

select turns.place, turns.blob_key, turns.from_run_key, turns.to_run_key
from turns
inner join changed on turns.blob_key = changed.blob_key
where turns.is_used
union all
select place, blob_key, 0 as from_run_key, null as to_run_key
from lasting;
