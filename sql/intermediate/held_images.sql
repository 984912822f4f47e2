-- One row per image with foreign layers that the registry holds all the same: the size it
-- states of a live tag counts them. A layer listed twice may count twice in it.
create or replace temp table held_images as
with
foreign_images as (
    select distinct manifest_digest from main.layers where not is_stored
),

blobs as (
    select
        layers.manifest_digest,
        layers.blob_digest,
        count(*) as place_count,
        min(layers.size_bytes) as size_bytes,
        bool_or(layers.is_stored) as is_stored
    from main.layers
    inner join foreign_images
        on layers.manifest_digest = foreign_images.manifest_digest
    group by layers.manifest_digest, layers.blob_digest
),

sizes as (
    select
        manifest_digest,
        sum(size_bytes) as distinct_bytes,
        sum(size_bytes * place_count) as listed_bytes,
        sum(case when is_stored then size_bytes else 0 end) as distinct_stored_bytes,
        sum(case when is_stored then size_bytes * place_count else 0 end)
            as listed_stored_bytes
    from blobs
    group by manifest_digest
    having bool_and(size_bytes is not null)
),

said as (
    select
        tags.manifest_digest,
        tags.api_size_bytes - coalesce(manifests.config_bytes, 0) as layer_bytes
    from main.tags
    inner join main.manifests on tags.manifest_digest = manifests.manifest_digest
    where manifests.manifest_kind = 'image'
)

select distinct keys.manifest_key
from said
inner join sizes on said.manifest_digest = sizes.manifest_digest
inner join manifest_keys as keys on said.manifest_digest = keys.manifest_digest
where
    said.layer_bytes in (sizes.distinct_bytes, sizes.listed_bytes)
    and said.layer_bytes not in (sizes.distinct_stored_bytes, sizes.listed_stored_bytes);
