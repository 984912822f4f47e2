-- One row per repository, blob that a new run may have changed the users of, and unbroken
-- series of runs after which it was known to use it: from from_run_key until before
-- to_run_key (null: still). What no new run has touched was so before the first of them.
create or replace table intermediate.blob_uses as
with
stays as (
    select
        place,
        blob_key,
        greatest(since_run_key, from_run_key) as from_run_key,
        to_run_key
    from intermediate.touched_uses
    where to_run_key is null or greatest(since_run_key, from_run_key) < to_run_key
),

-- What began while a stay that lasts had begun already changes nothing.
lasting_stays as (
    select place, blob_key, min(from_run_key) as from_run_key
    from stays
    where to_run_key is null
    group by place, blob_key
),

parts as (
    select
        stays.place,
        stays.blob_key,
        stays.from_run_key,
        stays.to_run_key as until_run_key
    from stays
    left join lasting_stays as lasting
        on stays.place = lasting.place and stays.blob_key = lasting.blob_key
    where
        stays.to_run_key is not null
        and (
            lasting.from_run_key is null
            or stays.from_run_key < lasting.from_run_key
        )
    union all
    select place, blob_key, from_run_key, 2147483647 as until_run_key
    from lasting_stays
),

-- Most blobs are of one manifest: nothing to be joined.
counts as (
    select
        place,
        blob_key,
        count(*) as part_count,
        min(from_run_key) as from_run_key,
        min(until_run_key) as until_run_key
    from parts
    group by place, blob_key
),

-- One row a beginning: windows need not agree on the order of two that are equal.
begun as (
    select
        parts.place,
        parts.blob_key,
        parts.from_run_key,
        max(parts.until_run_key) as until_run_key
    from parts
    inner join counts
        on parts.place = counts.place and parts.blob_key = counts.blob_key
    where counts.part_count > 1
    group by parts.place, parts.blob_key, parts.from_run_key
),

reaching as (
    select
        *,
        max(until_run_key) over (
            partition by place, blob_key
            order by from_run_key
            rows between unbounded preceding and 1 preceding
        ) as until_before_run_key
    from begun
),

numbered as (
    select
        *,
        sum(case when until_before_run_key >= from_run_key then 0 else 1 end) over (
            partition by place, blob_key
            order by from_run_key
            rows between unbounded preceding and current row
        ) as series
    from reaching
),

known_uses as (
    select
        place, blob_key, from_run_key, nullif(until_run_key, 2147483647) as to_run_key
    from counts
    where part_count = 1
    union all
    select
        place,
        blob_key,
        min(from_run_key) as from_run_key,
        nullif(max(until_run_key), 2147483647) as to_run_key
    from numbered
    group by place, blob_key, series
),

touched as (select distinct place, blob_key from intermediate.touched_uses),

-- Of users that come and go hardly any blob has others that stay.
changed as (
    select uses.blob_key
    from known_uses as uses
    cross join intermediate.new_history as new
    where
        uses.from_run_key >= new.first_run_key or uses.to_run_key >= new.first_run_key
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

select uses.place, uses.blob_key, uses.from_run_key, uses.to_run_key
from known_uses as uses
inner join changed on uses.blob_key = changed.blob_key
union all
select place, blob_key, 0 as from_run_key, null as to_run_key
from lasting;
