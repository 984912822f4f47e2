-- One row per blob that the chosen manifests name, themselves or through the children of
-- indexes: its size, null where it is not known; where it is named first, position being
-- null for a configuration; and how many live tags use it. is_stored is false for a
-- foreign layer.
with recursive
walk as (
    select manifests.manifest_key as node_key
    from chosen_manifests as chosen
    inner join intermediate.manifest_keys as manifests
        on chosen.manifest_digest = manifests.manifest_digest
    union
    select children.manifest_key as node_key
    from walk
    inner join intermediate.manifest_keys as indexes
        on walk.node_key = indexes.manifest_key and indexes.is_readable
    inner join main.platforms
        on indexes.manifest_digest = platforms.index_digest
        and not coalesce(platforms.is_blob, false)
    inner join intermediate.manifest_keys as children
        on platforms.manifest_digest = children.manifest_digest
),

named as (
    select
        statements.blob_key,
        min(statements.position) as position,
        count(distinct statements.manifest_key) as manifest_count
    from walk
    inner join intermediate.blob_statements as statements
        on walk.node_key = statements.manifest_key
    where statements.is_readable
    group by statements.blob_key
)

select
    keys.blob_digest,
    named.position,
    named.manifest_count,
    blobs.blob_key is not null as is_stored,
    blobs.size_bytes,
    case
        when blobs.size_bytes is null then 'unknown'
        when blobs.is_uncertain then 'lower_bound'
        else 'exact'
    end as size_basis,
    coalesce(users.tag_count, 0) as tag_count,
    coalesce(users.repository_count, 0) as repository_count
from named
inner join intermediate.blob_keys as keys on named.blob_key = keys.blob_key
left join intermediate.stored_blobs as blobs on named.blob_key = blobs.blob_key
left join intermediate.blob_users as users on named.blob_key = users.blob_key
order by blobs.size_bytes desc nulls last, keys.blob_digest;
