-- What live tags reach, what the tag lists leave out of it, and what nobody has asked for
-- yet: texts of manifests, sizes of blobs that no manifest states, configurations. What a
-- digest of an unknown algorithm names cannot be verified, so it is not asked for. One row
-- each, with a repository to ask: one of those that reach it, and that has not said
-- lately that it does not have it. The largest repositories first, in them the newest tags.
with recursive
pointed_at as (
    select
        tags.manifest_digest,
        tags.namespace,
        tags.repository,
        any_value(tags.manifest_kind) as manifest_kind,
        min(tags.tag) as tag,
        max(tags.updated_at) as updated_at,
    from tags
    where tags.registry = $registry
    group by all
),

-- The union drops rows met before, so an index that contains itself ends the walk.
reached as (
    select distinct
        manifest_digest as root_digest,
        manifest_digest,
    from pointed_at
    where manifest_kind = 'index'
    union
    select
        reached.root_digest,
        platforms.manifest_digest,
    from reached
    inner join platforms on reached.manifest_digest = platforms.index_digest
    where not coalesce(platforms.is_blob, false)
),

live as (
    select
        root_digest,
        manifest_digest,
    from reached
    union all
    select distinct
        manifest_digest as root_digest,
        manifest_digest,
    from pointed_at
    where manifest_kind <> 'index'
),

unread as (
    select
        'manifest' as kind,
        reached.root_digest,
        reached.manifest_digest as digest,
        false as is_own,
    from reached
    left join manifests on reached.manifest_digest = manifests.manifest_digest
    where manifests.manifest_digest is null
    union all
    select
        'manifest' as kind,
        live.root_digest,
        live.manifest_digest as digest,
        false as is_own,
    from live
    inner join manifests on live.manifest_digest = manifests.manifest_digest
    where not manifests.digest_verified
    union all
    select
        'blob' as kind,
        live.root_digest,
        layers.blob_digest as digest,
        false as is_own,
    from layers
    inner join live on layers.manifest_digest = live.manifest_digest
    where layers.size_bytes is null and layers.is_stored
    union all
    select
        'config' as kind,
        live.root_digest,
        manifests.config_digest as digest,
        live.root_digest = live.manifest_digest as is_own,
    from manifests
    inner join live on manifests.manifest_digest = live.manifest_digest
    left join image_configs on manifests.manifest_digest = image_configs.manifest_digest
    where
        $configs
        and manifests.manifest_kind = 'image'
        and image_configs.manifest_digest is null
),

answered as (
    select
        kind,
        digest,
    from ingest.pulls
    where registry = $registry and outcome = 'read' and kind = 'blob'
),

refused as (
    select
        kind,
        digest,
        namespace,
        repository,
    from ingest.pulls
    where registry = $registry and outcome <> 'read' and asked_at > $asked_after
    union all
    select
        kind,
        digest,
        namespace,
        repository,
    from skipped_pulls
),

candidates as (
    select
        unread.kind,
        unread.digest,
        pointed_at.namespace,
        pointed_at.repository,
        max(pointed_at.updated_at) as updated_at,
        min(pointed_at.tag) filter (unread.is_own) as tag,
    from unread
    inner join pointed_at on unread.root_digest = pointed_at.manifest_digest
    anti join answered
        on unread.kind = answered.kind and unread.digest = answered.digest
    anti join refused
        on unread.kind = refused.kind
        and unread.digest = refused.digest
        and pointed_at.namespace = refused.namespace
        and pointed_at.repository = refused.repository
    where
        regexp_full_match(
            unread.digest,
            'sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}'
        )
    group by all
)

select
    candidates.kind,
    candidates.digest,
    candidates.namespace,
    candidates.repository,
    candidates.tag,
    row_number() over (
        partition by candidates.kind, candidates.digest
        order by
            repositories.api_size_bytes desc nulls last,
            candidates.updated_at desc nulls last,
            candidates.namespace,
            candidates.repository
    ) as place,
from candidates
left join repositories
    on repositories.registry = $registry
    and candidates.namespace = repositories.namespace
    and candidates.repository = repositories.repository
qualify place = 1
order by
    repositories.api_size_bytes desc nulls last,
    candidates.namespace,
    candidates.repository,
    candidates.updated_at desc nulls last,
    candidates.kind,
    candidates.digest
limit $limit;
