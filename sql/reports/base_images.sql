-- One row per base that live images stand on. found_by label: the base that their
-- configurations name, by its digest where they say it. found_by layers: a series of
-- layers, from the base up, with which several of them begin and at which they part: an
-- image ends there, or their next layers differ; a live tag whose image consists of just
-- these layers is the base. An image whose base both ways show counts for both.
-- A newer tag: of the base's repository, updated later than every tag there that is the
-- base.
create or replace table reports.base_images as
with
live_nodes as (
    select distinct reached.root_key, reached.node_key
    from intermediate.reached_manifests as reached
    inner join intermediate.tagged_manifests as tagged
        on reached.root_key = tagged.manifest_key
),

-- If all images go on alike, any one of them shows it.
nexts as (
    select prefixes.prefix_key, steps.image_count
    from intermediate.common_prefixes as prefixes
    inner join intermediate.prefix_images as steps
        on prefixes.example_key = steps.manifest_key
        and prefixes.position + 1 = steps.position
),

partings as (
    select prefixes.*
    from intermediate.common_prefixes as prefixes
    left join nexts on prefixes.prefix_key = nexts.prefix_key
    where coalesce(nexts.image_count, 0) < prefixes.image_count
),

-- The images whose configuration names their base.
named_images as (
    select distinct
        images.manifest_key,
        coalesce(configs.base_digest, '') as base_digest,
        case when configs.base_digest is null then configs.base_name else '' end
            as base_name
    from main.image_configs as configs
    inner join intermediate.manifest_keys as images
        on configs.manifest_digest = images.manifest_digest
    where
        (configs.base_digest is not null or configs.base_name is not null)
        and images.manifest_key in (select node_key from live_nodes)
),

named as (
    select
        base_digest,
        base_name,
        -- Below those of the series of layers.
        -cast(row_number() over (order by base_digest, base_name) as bigint)
            as prefix_key,
        count(*) as image_count
    from named_images
    group by base_digest, base_name
),

names as (
    select named.prefix_key, min(configs.base_name) as base_name
    from named
    inner join main.image_configs as configs
        on named.base_digest = configs.base_digest
        or (named.base_digest = '' and named.base_name = configs.base_name)
    group by named.prefix_key
),

users as (
    select distinct partings.prefix_key, live_nodes.root_key, steps.is_continued
    from partings
    inner join intermediate.prefix_images as steps
        on partings.prefix_key = steps.prefix_key
    inner join live_nodes on steps.manifest_key = live_nodes.node_key
    union all
    select distinct named.prefix_key, live_nodes.root_key, true as is_continued
    from named
    inner join named_images as images
        on named.base_digest = images.base_digest and named.base_name = images.base_name
    inner join live_nodes on images.manifest_key = live_nodes.node_key
    union all
    select distinct named.prefix_key, live_nodes.root_key, false as is_continued
    from named
    inner join intermediate.manifest_keys as bases
        on named.base_digest = bases.manifest_digest
    inner join live_nodes on bases.manifest_key = live_nodes.node_key
),

built as (
    select
        users.prefix_key,
        cast(sum(tagged.tag_count) as bigint) as tag_count,
        count(distinct tagged.repository_key) as repository_count,
        count(distinct tagged.namespace_key) as namespace_count
    from users
    inner join intermediate.tagged_manifests as tagged
        on users.root_key = tagged.manifest_key
    where users.is_continued
    group by users.prefix_key
),

base_tags as (
    select users.prefix_key, tags.tag_key, tags.repository_key, tags.known_updated_at
    from users
    inner join intermediate.live_tags as tags on users.root_key = tags.manifest_key
    where not users.is_continued
    union all
    select named.prefix_key, tags.tag_key, tags.repository_key, tags.known_updated_at
    from named
    inner join main.tags as paths
        on named.base_digest = '' and named.base_name in (paths.path, paths.internal_path)
    inner join intermediate.live_tags as tags
        on paths.registry = tags.registry
        and paths.namespace = tags.namespace
        and paths.repository = tags.repository
        and paths.tag = tags.tag
),

bases as (
    select prefix_key, min(tag_key) as tag_key, count(*) as tag_count
    from base_tags
    group by prefix_key
),

latest_bases as (
    select
        bases.prefix_key,
        base_tags.repository_key,
        max(base_tags.known_updated_at) as updated_at
    from bases
    inner join intermediate.live_tags as firsts on bases.tag_key = firsts.tag_key
    inner join base_tags
        on bases.prefix_key = base_tags.prefix_key
        and firsts.repository_key = base_tags.repository_key
    group by bases.prefix_key, base_tags.repository_key
),

newest as (
    select
        repository_key,
        tag,
        known_updated_at,
        row_number() over (
            partition by repository_key order by known_updated_at desc, tag_key
        ) as place
    from intermediate.live_tags
    where
        known_updated_at is not null
        and repository_key in (select repository_key from latest_bases)
),

newer as (
    select latest_bases.prefix_key, newest.tag, newest.known_updated_at as updated_at
    from latest_bases
    inner join newest
        on latest_bases.repository_key = newest.repository_key
        and latest_bases.updated_at < newest.known_updated_at
        and newest.place = 1
),

-- The bytes of what stands on a base of which there is a newer tag.
dependents as (
    select distinct users.prefix_key, contents.blob_key
    from users
    inner join newer on users.prefix_key = newer.prefix_key
    inner join intermediate.manifest_blobs as contents
        on users.root_key = contents.root_key
    where users.is_continued
),

dependent_bytes as (
    select
        dependents.prefix_key,
        try_cast(sum(blobs.size_bytes) as bigint) as dependent_bytes
    from dependents
    inner join intermediate.stored_blobs as blobs
        on dependents.blob_key = blobs.blob_key
    group by dependents.prefix_key
),

prefix_blobs as (
    select distinct partings.prefix_key, statements.blob_key
    from partings
    inner join intermediate.blob_statements as statements
        on partings.example_key = statements.manifest_key
        and partings.position >= statements.position
),

bytes as (
    select
        prefix_blobs.prefix_key,
        try_cast(sum(blobs.size_bytes) as bigint) as size_bytes,
        bool_or(blobs.is_uncertain) as is_uncertain,
        try_cast(sum(blobs.size_bytes) as bigint) is not null as is_known
    from prefix_blobs
    inner join intermediate.stored_blobs as blobs
        on prefix_blobs.blob_key = blobs.blob_key
    group by prefix_blobs.prefix_key
),

found as (
    select
        'layers' as found_by,
        partings.prefix_key,
        partings.prefix_digest,
        partings.position + 1 as layer_count,
        null as base_name,
        null as base_digest,
        partings.continued_count as image_count
    from partings
    union all
    select
        'label' as found_by,
        named.prefix_key,
        null as prefix_digest,
        null as layer_count,
        names.base_name,
        nullif(named.base_digest, '') as base_digest,
        named.image_count
    from named
    inner join names on named.prefix_key = names.prefix_key
)

select
    run.registry,
    found.found_by,
    found.prefix_digest,
    cast(found.layer_count as bigint) as layer_count,
    case
        when found.found_by = 'layers' and coalesce(bytes.is_known, true)
            then coalesce(bytes.size_bytes, 0)
    end as size_bytes,
    basis(
        found.found_by = 'layers' and coalesce(bytes.is_known, true),
        coalesce(bytes.is_uncertain, false),
        false,
        false
    ) as size_basis,
    found.base_name,
    found.base_digest,
    tags.namespace as base_namespace,
    tags.repository as base_repository,
    tags.tag as base_tag,
    coalesce(bases.tag_count, 0) as base_tag_count,
    newer.tag as newer_tag,
    newer.updated_at as newer_updated_at,
    cast(found.image_count as bigint) as image_count,
    built.tag_count,
    built.repository_count,
    built.namespace_count,
    dependents.dependent_bytes,
    run.as_of
from found
inner join built on found.prefix_key = built.prefix_key
left join bytes on found.prefix_key = bytes.prefix_key
left join bases on found.prefix_key = bases.prefix_key
left join intermediate.live_tags as tags on bases.tag_key = tags.tag_key
left join newer on found.prefix_key = newer.prefix_key
left join dependent_bytes as dependents on found.prefix_key = dependents.prefix_key
cross join intermediate.latest_run as run
order by found.prefix_digest nulls last, found.base_digest nulls last, found.base_name;

comment on table reports.base_images is 'One row per base that live images stand on, by their labels or by the layers they begin with: who stands on it, and whether there is a newer tag of it.';
comment on column reports.base_images.registry is 'Short name of the registry.';
comment on column reports.base_images.found_by is 'label (the configurations of the images name it; needs SWR_READ_CONFIGS) or layers (several images begin with the same ones).';
comment on column reports.base_images.prefix_digest is 'Identifies the series of layers: layers.prefix_digest of its last one; null where found by label.';
comment on column reports.base_images.layer_count is 'Layers of the series, foreign and repeated ones included; null where found by label.';
comment on column reports.base_images.size_bytes is 'Bytes of its distinct stored layers; null when nothing is known.';
comment on column reports.base_images.size_basis is 'exact, lower_bound (parts of unknown size) or unknown, for size_bytes.';
comment on column reports.base_images.base_name is 'What the label org.opencontainers.image.base.name says, the first of several; null where found by layers.';
comment on column reports.base_images.base_digest is 'What the label org.opencontainers.image.base.digest says; null where there is none.';
comment on column reports.base_images.base_namespace is 'Namespace of the base image; null when no live tag is it.';
comment on column reports.base_images.base_repository is 'Repository of the base image.';
comment on column reports.base_images.base_tag is 'Its tag; of several the first by namespace, repository and tag.';
comment on column reports.base_images.base_tag_count is 'Live tags that are the base: their image consists of just these layers, or has the digest or name of the label.';
comment on column reports.base_images.newer_tag is 'The newest tag of base_repository, if it was updated later than the base: what stands on the base is out of date.';
comment on column reports.base_images.newer_updated_at is 'When that was.';
comment on column reports.base_images.image_count is 'Live images built on it: they begin with these layers and have more, or name it.';
comment on column reports.base_images.tag_count is 'Live tags that reach such an image.';
comment on column reports.base_images.repository_count is 'Repositories of these tags.';
comment on column reports.base_images.namespace_count is 'Namespaces of these tags.';
comment on column reports.base_images.dependent_bytes is 'Bytes of the distinct blobs these tags reach; null where there is no newer tag, or they are not known.';
comment on column reports.base_images.as_of is 'The moment this row describes: as_of of the latest run.';
