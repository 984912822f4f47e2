-- One row per common prefix and live image that begins with it.
create or replace table intermediate.prefix_images as
with known as (
    select
        stored.prefix_key as stored_key,
        prefixes.prefix_key,
        prefixes.position,
        prefixes.image_count
    from ingest.layer_prefixes as stored
    inner join intermediate.common_prefixes as prefixes
        on stored.prefix_digest = prefixes.prefix_digest
        and stored.position = prefixes.position
)

select
    known.prefix_key,
    known.position,
    known.image_count,
    images.manifest_key,
    known.position + 1 < images.layer_count as is_continued
from intermediate.listed_layers as listed
inner join known on listed.prefix_key = known.stored_key
inner join intermediate.live_images as images
    on listed.manifest_key = images.manifest_key;
