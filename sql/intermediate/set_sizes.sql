-- One row per scope (the registry with scope_key 0, each namespace, each repository) and
-- choice of its live tags (all, stale, or those of one age bucket), also without tags:
-- their bytes, and how far these are known.
-- exclusive_bytes: blobs that no other live tag reaches, which the set would give back.
create or replace temp table set_sizes as
with
choices as (
    select 'all' as choice, null as bucket_number
    union all
    select 'stale' as choice, null as bucket_number
    union all
    select age_bucket as choice, bucket_number from age_bucket_names
),

scopes as (
    select 'repository' as scope, repository_key as scope_key from live_repositories
    union all
    select distinct 'namespace' as scope, namespace_key as scope_key
    from live_repositories
    union all
    select 'registry' as scope, 0 as scope_key
),

-- Tags, and then blobs by their users, that no set tells apart. A key is null where the
-- users of a blob differ in it.
parts as (
    select
        tags.namespace_key,
        tags.repository_key,
        tags.bucket_number,
        tags.is_stale,
        count(*) as tag_count,
        sum(sizes.logical_bytes) as logical_bytes,
        bool_or(sizes.is_known) as is_known,
        bool_and(sizes.size_basis = 'exact') as is_exact,
        bool_or(sizes.has_open_parts) as is_uncertain,
        sum(case when sizes.has_unread then 1 else 0 end) as unread_count,
        null as exclusive_bytes,
        min(tags.created_at) as oldest_created_at,
        max(tags.created_at) as newest_created_at,
        min(tags.updated_at) as oldest_updated_at,
        max(tags.updated_at) as newest_updated_at
    from live_tags as tags
    inner join manifest_sizes as sizes on tags.manifest_key = sizes.manifest_key
    group by
        tags.namespace_key, tags.repository_key, tags.bucket_number, tags.is_stale
    union all
    select
        case when namespace_count = 1 then lowest_namespace_key end as namespace_key,
        case when repository_count = 1 then lowest_repository_key end as repository_key,
        case when lowest_bucket = highest_bucket then lowest_bucket end as bucket_number,
        is_stale,
        null as tag_count,
        null as logical_bytes,
        null as is_known,
        null as is_exact,
        bool_or(is_uncertain) as is_uncertain,
        null as unread_count,
        sum(size_bytes) as exclusive_bytes,
        null as oldest_created_at,
        null as newest_created_at,
        null as oldest_updated_at,
        null as newest_updated_at
    from blob_users
    group by namespace_key, repository_key, bucket_number, is_stale
),

scoped as (
    select 'repository' as scope, repository_key as scope_key, * from parts
    union all
    select 'namespace' as scope, namespace_key as scope_key, * from parts
    union all
    select 'registry' as scope, 0 as scope_key, * from parts
),

totals as (
    select
        scopes.scope,
        scopes.scope_key,
        choices.choice,
        cast(coalesce(sum(scoped.tag_count), 0) as bigint) as tag_count,
        cast(coalesce(sum(scoped.logical_bytes), 0) as bigint) as logical_bytes,
        cast(coalesce(sum(scoped.exclusive_bytes), 0) as bigint) as exclusive_bytes,
        coalesce(bool_or(scoped.is_known), true) as is_known,
        coalesce(bool_and(scoped.is_exact), true) as is_exact,
        coalesce(bool_or(scoped.is_uncertain), false) as is_uncertain,
        coalesce(sum(scoped.unread_count), 0) as unread_count,
        min(scoped.oldest_created_at) as oldest_created_at,
        max(scoped.newest_created_at) as newest_created_at,
        min(scoped.oldest_updated_at) as oldest_updated_at,
        max(scoped.newest_updated_at) as newest_updated_at
    from scopes
    cross join choices
    left join scoped
        on scopes.scope = scoped.scope
        and scopes.scope_key = scoped.scope_key
        and (
            choices.choice = 'all'
            or (choices.choice = 'stale' and scoped.is_stale)
            or choices.bucket_number = scoped.bucket_number
        )
    group by scopes.scope, scopes.scope_key, choices.choice
)

select
    totals.scope,
    totals.scope_key,
    totals.choice,
    totals.tag_count,
    totals.is_known,
    case when totals.is_known then totals.logical_bytes end as logical_bytes,
    basis(totals.is_known, not totals.is_exact, false) as size_basis,
    case when totals.is_known then totals.exclusive_bytes end as exclusive_bytes,
    basis(
        totals.is_known,
        totals.is_uncertain,
        totals.tag_count > 0 and totals.unread_count < reading.unread_count
    ) as exclusive_basis,
    totals.oldest_created_at,
    totals.newest_created_at,
    totals.oldest_updated_at,
    totals.newest_updated_at
from totals
cross join reading;
