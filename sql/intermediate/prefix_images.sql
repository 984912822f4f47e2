-- One row per common prefix and image, live or not, that begins with it.
create or replace temp table prefix_images as
with
layers as (select * from main.layers),
manifests as (select * from manifest_keys),
prefixes as (select * from common_prefixes)

select
    prefixes.prefix_key,
    prefixes.position,
    prefixes.image_count,
    manifests.manifest_key,
    prefixes.position + 1 < manifests.layer_count as is_continued
from layers
inner join prefixes on layers.prefix_digest = prefixes.prefix_digest
inner join manifests on layers.manifest_digest = manifests.manifest_digest
where manifests.manifest_kind in ('image', 'schema1');
