-- One row per stored blob that a live tag reaches: who uses it, and how many.
create or replace table intermediate.blob_users as
with
namespaces as (
    select
        blob_key,
        namespace_key,
        sum(tag_count) as tag_count,
        count(*) as repository_count,
        min(repository_key) as lowest_repository_key,
        min(lowest_bucket) as lowest_bucket,
        max(highest_bucket) as highest_bucket,
        bool_and(is_stale) as is_stale,
        bool_and(is_orphaned) as is_orphaned
    from intermediate.repository_blobs
    group by blob_key, namespace_key
),

users as (
    select
        blob_key,
        cast(sum(tag_count) as bigint) as tag_count,
        cast(sum(repository_count) as bigint) as repository_count,
        count(*) as namespace_count,
        min(namespace_key) as lowest_namespace_key,
        min(lowest_repository_key) as lowest_repository_key,
        min(lowest_bucket) as lowest_bucket,
        max(highest_bucket) as highest_bucket,
        bool_and(is_stale) as is_stale,
        bool_and(is_orphaned) as is_orphaned
    from namespaces
    group by blob_key
)

select
    users.*,
    blobs.size_bytes,
    blobs.is_uncertain,
    blobs.is_layer
from users
inner join intermediate.stored_blobs as blobs on users.blob_key = blobs.blob_key;
