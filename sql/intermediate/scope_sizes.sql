-- One row per scope (each repository, each namespace, the registry), also without tags:
-- its bytes, and how far they are known. scope_key is 0 for the registry.
create or replace temp table scope_sizes as
with
repos as (select * from live_repositories),
tagged as (select * from tagged_manifests),
sizes as (select * from manifest_sizes),
used as (select * from repository_blobs),
users as (select * from blob_users),
reading as (select * from reading),

scopes as (
    select 'repository' as scope, repository_key as scope_key from repos
    union all
    select distinct 'namespace' as scope, namespace_key as scope_key from repos
    union all
    select 'registry' as scope, 0 as scope_key
),

scoped_manifests as (
    select 'repository' as scope, repository_key as scope_key, * from tagged
    union all
    select 'namespace' as scope, namespace_key as scope_key, * from tagged
    union all
    select 'registry' as scope, 0 as scope_key, * from tagged
),

tag_totals as (
    select
        scoped.scope,
        scoped.scope_key,
        cast(sum(scoped.tag_count) as bigint) as tag_count,
        count(distinct scoped.manifest_key) as manifest_count,
        cast(sum(sizes.logical_bytes * scoped.tag_count) as bigint) as logical_bytes,
        bool_or(sizes.size_basis <> 'unknown') as is_known,
        bool_and(sizes.size_basis = 'exact') as is_exact,
        bool_or(sizes.has_unread or sizes.has_schema1) as has_uncertain_tags,
        cast(sum(case when sizes.has_unread then scoped.tag_count else 0 end) as bigint)
            as unread_tag_count,
        min(scoped.oldest_created_at) as oldest_created_at,
        max(scoped.newest_created_at) as newest_created_at,
        min(scoped.oldest_updated_at) as oldest_updated_at,
        max(scoped.newest_updated_at) as newest_updated_at
    from scoped_manifests as scoped
    inner join sizes on scoped.manifest_key = sizes.manifest_key
    group by scoped.scope, scoped.scope_key
),

namespace_blobs as (
    select distinct namespace_key, blob_key from used
),

scoped_blobs as (
    select
        'repository' as scope,
        used.repository_key as scope_key,
        users.size_bytes,
        users.is_uncertain,
        users.repository_count = 1 as is_exclusive
    from used
    inner join users on used.blob_key = users.blob_key
    union all
    select
        'namespace' as scope,
        namespace_blobs.namespace_key as scope_key,
        users.size_bytes,
        users.is_uncertain,
        users.namespace_count = 1 as is_exclusive
    from namespace_blobs
    inner join users on namespace_blobs.blob_key = users.blob_key
    union all
    select
        'registry' as scope,
        0 as scope_key,
        size_bytes,
        is_uncertain,
        true as is_exclusive
    from users
),

blob_totals as (
    select
        scope,
        scope_key,
        count(*) as blob_count,
        cast(sum(size_bytes) as bigint) as deduplicated_bytes,
        cast(sum(case when is_exclusive then size_bytes end) as bigint)
            as exclusive_bytes,
        bool_or(is_exclusive and is_uncertain) as has_uncertain_blobs
    from scoped_blobs
    group by scope, scope_key
),

judged as (
    select
        scopes.scope,
        scopes.scope_key,
        coalesce(tag_totals.tag_count, 0) as tag_count,
        coalesce(tag_totals.manifest_count, 0) as manifest_count,
        coalesce(blob_totals.blob_count, 0) as blob_count,
        coalesce(tag_totals.is_known, true) as is_known,
        coalesce(tag_totals.is_exact, true) as is_exact,
        coalesce(tag_totals.logical_bytes, 0) as logical_bytes,
        coalesce(blob_totals.deduplicated_bytes, 0) as deduplicated_bytes,
        coalesce(blob_totals.exclusive_bytes, 0) as exclusive_bytes,
        coalesce(tag_totals.has_uncertain_tags, false)
            or coalesce(blob_totals.has_uncertain_blobs, false) as is_uncertain,
        not reading.is_crawled
            or reading.unread_tag_count > coalesce(tag_totals.unread_tag_count, 0)
            as is_unread_elsewhere,
        tag_totals.oldest_created_at,
        tag_totals.newest_created_at,
        tag_totals.oldest_updated_at,
        tag_totals.newest_updated_at,
        reading.as_of
    from scopes
    cross join reading
    left join tag_totals
        on scopes.scope = tag_totals.scope and scopes.scope_key = tag_totals.scope_key
    left join blob_totals
        on scopes.scope = blob_totals.scope and scopes.scope_key = blob_totals.scope_key
)

select
    scope,
    scope_key,
    tag_count,
    manifest_count,
    blob_count,
    case when is_known then logical_bytes end as logical_bytes,
    case when is_known then deduplicated_bytes end as deduplicated_bytes,
    case when is_known then logical_bytes - deduplicated_bytes end as saved_bytes,
    case when is_known then exclusive_bytes end as exclusive_bytes,
    case when is_known then deduplicated_bytes - exclusive_bytes end as shared_bytes,
    case
        when is_known and deduplicated_bytes > 0
            then cast(logical_bytes as double) / deduplicated_bytes
    end as dedup_ratio,
    is_known,
    case
        when is_exact then 'exact'
        when is_known then 'lower_bound'
        else 'unknown'
    end as size_basis,
    case
        when tag_count = 0 then 'exact'
        when not is_known then 'unknown'
        when is_uncertain and is_unread_elsewhere then 'unknown'
        when is_uncertain then 'lower_bound'
        when is_unread_elsewhere then 'upper_bound'
        else 'exact'
    end as exclusive_basis,
    oldest_created_at,
    newest_created_at,
    oldest_updated_at,
    newest_updated_at,
    as_of
from judged;
