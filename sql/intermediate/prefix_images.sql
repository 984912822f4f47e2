-- One row per common prefix and live image that begins with it.
create or replace table intermediate.prefix_images as
select
    prefixes.prefix_key,
    prefixes.position,
    prefixes.image_count,
    images.manifest_key,
    prefixes.position + 1 < images.layer_count as is_continued
from main.layers
inner join intermediate.common_prefixes as prefixes
    on layers.prefix_digest = prefixes.prefix_digest
inner join intermediate.live_images as images
    on layers.manifest_digest = images.manifest_digest;
