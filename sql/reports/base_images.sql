-- One row per series of layers, from the base up, with which several live images begin
-- and at which they part: an image ends there, or their next layers differ. If a live
-- tag's image consists of just these layers, that tag is the base image.
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

users as (
    select distinct partings.prefix_key, live_nodes.root_key, steps.is_continued
    from partings
    inner join intermediate.prefix_images as steps
        on partings.prefix_key = steps.prefix_key
    inner join live_nodes on steps.manifest_key = live_nodes.node_key
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

bases as (
    select
        users.prefix_key,
        min(tags.tag_key) as tag_key,
        count(*) as tag_count
    from users
    inner join intermediate.live_tags as tags on users.root_key = tags.manifest_key
    where not users.is_continued
    group by users.prefix_key
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
)

select
    run.registry,
    partings.prefix_digest,
    cast(partings.position + 1 as bigint) as layer_count,
    case when coalesce(bytes.is_known, true) then coalesce(bytes.size_bytes, 0) end
        as size_bytes,
    basis(
        coalesce(bytes.is_known, true), coalesce(bytes.is_uncertain, false), false, false
    ) as size_basis,
    tags.namespace as base_namespace,
    tags.repository as base_repository,
    tags.tag as base_tag,
    coalesce(bases.tag_count, 0) as base_tag_count,
    cast(partings.continued_count as bigint) as image_count,
    built.tag_count,
    built.repository_count,
    built.namespace_count,
    run.as_of
from partings
inner join built on partings.prefix_key = built.prefix_key
left join bytes on partings.prefix_key = bytes.prefix_key
left join bases on partings.prefix_key = bases.prefix_key
left join intermediate.live_tags as tags on bases.tag_key = tags.tag_key
cross join intermediate.latest_run as run
order by partings.prefix_key;

comment on table reports.base_images is 'One row per series of layers, from the base up, several live images begin with and part at.';
comment on column reports.base_images.registry is 'Short name of the registry.';
comment on column reports.base_images.prefix_digest is 'Identifies the series: layers.prefix_digest of its last layer.';
comment on column reports.base_images.layer_count is 'Layers of the series, foreign and repeated ones included.';
comment on column reports.base_images.size_bytes is 'Bytes of its distinct stored layers; null when nothing is known.';
comment on column reports.base_images.size_basis is 'exact, lower_bound (parts of unknown size) or unknown, for size_bytes.';
comment on column reports.base_images.base_namespace is 'Namespace of the base image; null when no live tag''s image consists of just these layers.';
comment on column reports.base_images.base_repository is 'Repository of the base image.';
comment on column reports.base_images.base_tag is 'Its tag; of several the first by namespace, repository and tag.';
comment on column reports.base_images.base_tag_count is 'Live tags whose image consists of just these layers.';
comment on column reports.base_images.image_count is 'Live images built on it: they begin with these layers and have more.';
comment on column reports.base_images.tag_count is 'Live tags that reach such an image.';
comment on column reports.base_images.repository_count is 'Repositories of these tags.';
comment on column reports.base_images.namespace_count is 'Namespaces of these tags.';
comment on column reports.base_images.as_of is 'The moment this row describes: as_of of the latest run.';
