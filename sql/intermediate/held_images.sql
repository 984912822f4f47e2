-- One row per image or artifact with foreign layers that the registry holds all the same:
-- the size it states of a live tag counts them. A layer listed twice may count twice in
-- it.
create or replace table intermediate.held_images as
with
foreign_images as (
    select distinct manifest_digest from main.layers where not is_stored
),

blobs as (
    select
        layers.manifest_digest,
        layers.blob_digest,
        min(stated_size(layers.blob_digest, layers.size_bytes)) as distinct_bytes,
        sum(stated_size(layers.blob_digest, layers.size_bytes)) as listed_bytes,
        bool_and(stated_size(layers.blob_digest, layers.size_bytes) is not null)
            as is_stated,
        bool_or(not layers.is_stored) as is_foreign
    from main.layers
    inner join foreign_images
        on layers.manifest_digest = foreign_images.manifest_digest
    group by layers.manifest_digest, layers.blob_digest
),

sizes as (
    select
        manifest_digest,
        sum(distinct_bytes) as distinct_bytes,
        sum(listed_bytes) as listed_bytes
    from blobs
    group by manifest_digest
    having
        bool_and(is_stated)
        and sum(case when is_foreign then distinct_bytes else 0 end) > 0
),

said as (
    select
        tags.manifest_digest,
        tags.api_size_bytes
        - case
            when manifests.config_digest is null then 0
            else stated_size(manifests.config_digest, manifests.config_bytes)
        end as layer_bytes
    from main.tags
    inner join main.manifests on tags.manifest_digest = manifests.manifest_digest
    where manifests.manifest_kind in ('image', 'artifact')
)

select distinct keys.manifest_key
from said
inner join sizes on said.manifest_digest = sizes.manifest_digest
inner join intermediate.manifest_keys as keys
    on said.manifest_digest = keys.manifest_digest
where said.layer_bytes in (sizes.distinct_bytes, sizes.listed_bytes);
