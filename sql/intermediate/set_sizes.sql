-- One row per scope (the registry with scope_key 0, each namespace, each repository) and
-- choice of its live tags (all, stale, orphaned followers, or those of one age bucket),
-- also without tags: their bytes, and how far these are known. Bytes whose sum passes
-- 2^63 - 1 are not known. exclusive_bytes: blobs that no other live tag reaches, which
-- the set would give back.
create or replace table intermediate.set_sizes as
with
choices as (
    select 'all' as choice, null as bucket_number
    union all
    select 'stale' as choice, null as bucket_number
    union all
    select 'orphaned' as choice, null as bucket_number
    union all
    select age_bucket as choice, bucket_number from intermediate.age_bucket_names
),

scopes as (
    select 'repository' as scope, repository_key as scope_key
    from intermediate.live_repositories
    union all
    select distinct 'namespace' as scope, namespace_key as scope_key
    from intermediate.live_repositories
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
        tags.is_orphaned,
        count(*) as tag_count,
        sum(sizes.logical_bytes) as logical_bytes,
        bool_or(sizes.is_known) as is_known,
        bool_and(sizes.size_basis = 'exact') as is_exact,
        bool_or(sizes.has_open_parts) as is_uncertain,
        sum(case when sizes.has_unread then 1 else 0 end) as unread_count,
        null as exclusive_bytes,
        min(tags.known_created_at) as oldest_created_at,
        max(tags.known_created_at) as newest_created_at,
        min(tags.known_updated_at) as oldest_updated_at,
        max(tags.known_updated_at) as newest_updated_at
    from intermediate.live_tags as tags
    inner join intermediate.manifest_sizes as sizes
        on tags.manifest_key = sizes.manifest_key
    group by
        tags.namespace_key,
        tags.repository_key,
        tags.bucket_number,
        tags.is_stale,
        tags.is_orphaned
    union all
    select
        case when namespace_count = 1 then lowest_namespace_key end as namespace_key,
        case when repository_count = 1 then lowest_repository_key end as repository_key,
        case when lowest_bucket = highest_bucket then lowest_bucket end as bucket_number,
        is_stale,
        is_orphaned,
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
    from intermediate.blob_users
    group by namespace_key, repository_key, bucket_number, is_stale, is_orphaned
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
        try_cast(coalesce(sum(scoped.logical_bytes), 0) as bigint) as logical_bytes,
        try_cast(coalesce(sum(scoped.exclusive_bytes), 0) as bigint) as exclusive_bytes,
        bool_or(scoped.is_known) as is_known,
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
            or (choices.choice = 'orphaned' and scoped.is_orphaned)
            or choices.bucket_number = scoped.bucket_number
        )
    group by scopes.scope, scopes.scope_key, choices.choice
),

-- What was not read, apart from parts of tags, is inside of all tags of a scope, may be
-- of any age or not, and is outside of tags that are listed, as stale ones are.
placed as (
    select
        totals.*,
        case when totals.choice in ('stale', 'orphaned') then 0 else rest.unread_count end
            as rest_count,
        rest.is_in_doubt,
        totals.logical_bytes is null as is_beyond,
        totals.logical_bytes is not null
        and coalesce(totals.is_known, rest_count = 0) as is_sized,
        not totals.is_exact or rest_count > 0 as is_open,
        totals.is_uncertain or rest_count > 0 as is_exclusive_open,
        totals.unread_count + case when totals.choice = 'all' then rest_count else 0 end
        < reading.unread_count as is_unread_elsewhere,
        reading.is_in_doubt as is_registry_in_doubt,
        totals.tag_count = 0 and rest_count = 0 and not rest.is_in_doubt as is_empty
    from totals
    inner join intermediate.scope_reading as rest
        on totals.scope = rest.scope and totals.scope_key = rest.scope_key
    cross join intermediate.reading
)

select
    scope,
    scope_key,
    choice,
    tag_count,
    is_sized as is_known,
    is_beyond,
    case when is_sized then logical_bytes end as logical_bytes,
    basis(is_sized, is_open, false, is_in_doubt) as size_basis,
    case when is_sized then exclusive_bytes end as exclusive_bytes,
    basis(
        is_sized,
        is_exclusive_open,
        not is_empty and is_unread_elsewhere,
        not is_empty and is_registry_in_doubt
    ) as exclusive_basis,
    basis(
        is_sized,
        is_open,
        not is_empty and is_unread_elsewhere,
        not is_empty and is_registry_in_doubt
    ) as allocated_basis,
    oldest_created_at,
    newest_created_at,
    oldest_updated_at,
    newest_updated_at
from placed;
