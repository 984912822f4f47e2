-- One row per row of reports.gaps; is_inside: it is about a part of the chosen manifests,
-- or about one of the chosen repositories. Of what is elsewhere only what may use the
-- same blobs.
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

open_blobs as (
    select distinct keys.blob_digest
    from walk
    inner join intermediate.blob_statements as statements
        on walk.node_key = statements.manifest_key
    inner join intermediate.stored_blobs as blobs
        on statements.blob_key = blobs.blob_key
    inner join intermediate.blob_keys as keys on statements.blob_key = keys.blob_key
    where statements.is_readable and blobs.is_uncertain
),

-- What is said of a size names its blob in words.
sizes as (
    select gaps.detail, min(open_blobs.blob_digest) as blob_digest
    from reports.gaps
    inner join open_blobs on strpos(gaps.detail, open_blobs.blob_digest) > 0
    where gaps.kind in ('size_unknown', 'size_conflict')
    group by gaps.detail
),

judged as (
    select
        gaps.*,
        coalesce(sizes.blob_digest, gaps.manifest_digest) as digest,
        sizes.detail is not null
        or walk.node_key is not null
        or (gaps.manifest_digest is null and repos.repository is not null) as is_inside
    from reports.gaps
    left join sizes on gaps.detail = sizes.detail
    left join intermediate.manifest_keys as manifests
        on gaps.manifest_digest = manifests.manifest_digest
    left join walk on manifests.manifest_key = walk.node_key
    left join chosen_repositories as repos
        on gaps.namespace = repos.namespace and gaps.repository = repos.repository
)

select kind, namespace, repository, tag, digest, detail, remedy, is_inside
from judged
where is_inside or kind not in ('size_unknown', 'size_conflict')
order by kind, namespace, repository nulls last, tag nulls last, digest;
