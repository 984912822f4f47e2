-- One row per scope (the registry with scope_key 0, each namespace, each repository),
-- also without tags: the bytes of its live tags, each blob once, and what of them nobody
-- else uses.
create or replace table intermediate.scope_sizes as
with
scoped_manifests as (
    select 'repository' as scope, repository_key as scope_key, manifest_key
    from intermediate.tagged_manifests
    union all
    select 'namespace' as scope, namespace_key as scope_key, manifest_key
    from intermediate.tagged_manifests
    union all
    select 'registry' as scope, 0 as scope_key, manifest_key
    from intermediate.tagged_manifests
),

manifest_counts as (
    select scope, scope_key, count(distinct manifest_key) as manifest_count
    from scoped_manifests
    group by scope, scope_key
),

scoped_blobs as (
    select 'repository' as scope, repository_key as scope_key, blob_key
    from intermediate.repository_blobs
    union all
    select distinct 'namespace' as scope, namespace_key as scope_key, blob_key
    from intermediate.repository_blobs
    union all
    select 'registry' as scope, 0 as scope_key, blob_key
    from intermediate.blob_users
),

blob_totals as (
    select
        scoped.scope,
        scoped.scope_key,
        count(*) as blob_count,
        try_cast(coalesce(sum(blobs.size_bytes), 0) as bigint) as deduplicated_bytes
    from scoped_blobs as scoped
    inner join intermediate.stored_blobs as blobs on scoped.blob_key = blobs.blob_key
    group by scoped.scope, scoped.scope_key
)

select
    sizes.*,
    rest.oldest_read_at,
    coalesce(manifests.manifest_count, 0) as manifest_count,
    coalesce(blobs.blob_count, 0) as blob_count,
    case when sizes.is_known then coalesce(blobs.deduplicated_bytes, 0) end
        as deduplicated_bytes,
    sizes.logical_bytes - coalesce(blobs.deduplicated_bytes, 0) as saved_bytes,
    coalesce(blobs.deduplicated_bytes, 0) - sizes.exclusive_bytes as shared_bytes,
    case
        when sizes.is_known and blobs.deduplicated_bytes > 0
            then cast(sizes.logical_bytes as double) / blobs.deduplicated_bytes
    end as dedup_ratio
from intermediate.set_sizes as sizes
inner join intermediate.scope_reading as rest
    on sizes.scope = rest.scope and sizes.scope_key = rest.scope_key
left join manifest_counts as manifests
    on sizes.scope = manifests.scope and sizes.scope_key = manifests.scope_key
left join blob_totals as blobs
    on sizes.scope = blobs.scope and sizes.scope_key = blobs.scope_key
where sizes.choice = 'all';
