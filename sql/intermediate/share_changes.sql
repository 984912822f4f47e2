-- One row per repository and new run that changed its share of a blob: what came new to
-- the registry, what the registry lost, and what of blobs that stayed passed between
-- repositories, as others began or ceased to use them. difference_bytes is how its
-- allocated bytes changed; what the rest does not explain is what the run taught us.
create or replace table intermediate.share_changes as
with
-- Of a blob with one user its whole size comes and goes.
alone as (
    select blob_key
    from intermediate.blob_uses
    group by blob_key
    having min(place) = max(place)
),

alone_turns as (
    select uses.blob_key, uses.place, uses.from_run_key as run_key, true as is_added
    from intermediate.blob_uses as uses
    inner join alone on uses.blob_key = alone.blob_key
    cross join intermediate.new_history as new
    where uses.from_run_key >= new.first_run_key
    union all
    select uses.blob_key, uses.place, uses.to_run_key as run_key, false as is_added
    from intermediate.blob_uses as uses
    inner join alone on uses.blob_key = alone.blob_key
    cross join intermediate.new_history as new
    where uses.to_run_key >= new.first_run_key
),

alone_shares as (
    select
        turns.run_key,
        turns.place,
        not turns.is_added as was_live,
        turns.is_added as is_live,
        case when turns.is_added then 0 else coalesce(blobs.size_bytes, 0) end
            as before_bytes,
        case when turns.is_added then coalesce(blobs.size_bytes, 0) else 0 end
            as after_bytes
    from alone_turns as turns
    inner join intermediate.stored_blobs as blobs on turns.blob_key = blobs.blob_key
    left join intermediate.learned_blobs as learned
        on turns.blob_key = learned.blob_key and turns.run_key = learned.run_key
    where learned.blob_key is null
),

-- Of others only the shares in a namespace change that has other users, or another share.
followed as (
    select
        *,
        lag(share_bytes) over of_namespace as share_before_bytes,
        lag(to_run_key) over of_namespace as to_run_key_before
    from intermediate.namespace_shares
    window of_namespace as (
        partition by blob_key, namespace_place order by from_run_key
    )
),

cells as (
    select counts.blob_key, counts.namespace_place, counts.run_key
    from intermediate.namespace_counts as counts
    union
    select blob_key, namespace_place, from_run_key as run_key
    from followed
    where to_run_key_before = from_run_key and share_before_bytes <> share_bytes
),

changed as (
    select cells.blob_key, cells.namespace_place, cells.run_key
    from cells
    cross join intermediate.new_history as new
    left join intermediate.learned_blobs as learned
        on cells.blob_key = learned.blob_key and cells.run_key = learned.run_key
    where cells.run_key >= new.first_run_key and learned.blob_key is null
),

-- Before a run is after the run before.
moments as (
    select blob_key, namespace_place, run_key, run_key as at_run_key
    from changed
    union all
    select blob_key, namespace_place, run_key, run_key - 1 as at_run_key
    from changed
),

divided as (
    select moments.*, shares.share_bytes
    from moments
    inner join intermediate.namespace_shares as shares
        on moments.blob_key = shares.blob_key
        and moments.namespace_place = shares.namespace_place
        and moments.at_run_key >= shares.from_run_key
        and (shares.to_run_key is null or moments.at_run_key < shares.to_run_key)
),

users as (
    select
        divided.*,
        uses.place,
        row_number() over (
            partition by
                divided.blob_key,
                divided.namespace_place,
                divided.run_key,
                divided.at_run_key
            order by uses.place
        ) as repository_rank,
        count(*) over (
            partition by
                divided.blob_key,
                divided.namespace_place,
                divided.run_key,
                divided.at_run_key
        ) as repository_count
    from divided
    inner join intermediate.crowded_uses as uses
        on divided.blob_key = uses.blob_key
        and divided.namespace_place = uses.namespace_place
        and divided.at_run_key >= uses.from_run_key
        and (uses.to_run_key is null or divided.at_run_key < uses.to_run_key)
),

-- Whether any namespace used the blob before the run, and after it.
pairs as (select distinct blob_key, run_key from changed),

lives as (
    select
        pairs.blob_key,
        pairs.run_key,
        bool_or(shares.from_run_key < pairs.run_key) as was_live,
        bool_or(shares.to_run_key is null or shares.to_run_key > pairs.run_key) as is_live
    from pairs
    inner join intermediate.namespace_shares as shares
        on pairs.blob_key = shares.blob_key
        and pairs.run_key >= shares.from_run_key
        and (shares.to_run_key is null or pairs.run_key <= shares.to_run_key)
    group by pairs.blob_key, pairs.run_key
),

crowded_shares as (
    select
        users.run_key,
        users.place,
        lives.was_live,
        lives.is_live,
        users.at_run_key = users.run_key as is_after,
        equal_share(
            users.share_bytes, users.repository_count, users.repository_rank
        ) as share_bytes
    from users
    inner join lives
        on users.blob_key = lives.blob_key and users.run_key = lives.run_key
),

shares as (
    select
        run_key,
        place,
        was_live,
        is_live,
        before_bytes as then_bytes,
        before_bytes,
        after_bytes
    from alone_shares
    union all
    select
        run_key,
        place,
        was_live,
        is_live,
        case when is_after then 0 else share_bytes end as then_bytes,
        case when is_after then 0 else share_bytes end as before_bytes,
        case when is_after then share_bytes else 0 end as after_bytes
    from crowded_shares
    union all
    select run_key, place, was_live, is_live, then_bytes, before_bytes, after_bytes
    from intermediate.learned_shares
)

select
    run_key,
    place,
    sum(case when was_live then 0 else after_bytes end) as added_bytes,
    sum(case when is_live then 0 else before_bytes end) as orphaned_bytes,
    sum(case when was_live and is_live then after_bytes - before_bytes else 0 end)
        as shifted_bytes,
    sum(after_bytes - then_bytes) as difference_bytes
from shares
group by run_key, place;
