-- One row per blob of crowded_uses, namespace that uses it, and series of runs after
-- which the same namespaces did: its share, from from_run_key until before to_run_key
-- (null: still).
create or replace table intermediate.namespace_shares as
with
-- Where a namespace begins or ceases to use a blob.
turns as (
    select
        blob_key,
        namespace_place,
        run_key,
        repository_count > 0 as is_used,
        lead(run_key) over (partition by blob_key, namespace_place order by run_key)
            as to_run_key
    from intermediate.namespace_counts
    where (repository_count > 0) <> (repository_count - difference > 0)
),

moments as (
    select
        blob_key,
        run_key as from_run_key,
        lead(run_key) over (partition by blob_key order by run_key) as to_run_key
    from (select distinct blob_key, run_key from turns) as turned
),

users as (
    select
        moments.blob_key,
        turns.namespace_place,
        moments.from_run_key,
        moments.to_run_key,
        row_number() over (
            partition by moments.blob_key, moments.from_run_key
            order by turns.namespace_place
        ) as namespace_rank,
        count(*) over (partition by moments.blob_key, moments.from_run_key)
            as namespace_count
    from moments
    inner join turns
        on moments.blob_key = turns.blob_key
        and moments.from_run_key >= turns.run_key
        and (turns.to_run_key is null or moments.from_run_key < turns.to_run_key)
    where turns.is_used
)

select
    users.blob_key,
    users.namespace_place,
    users.from_run_key,
    users.to_run_key,
    equal_share(
        coalesce(blobs.size_bytes, 0), users.namespace_count, users.namespace_rank
    ) as share_bytes
from users
inner join intermediate.stored_blobs as blobs on users.blob_key = blobs.blob_key;
