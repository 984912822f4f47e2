-- One row per common prefix and live image that begins with it.
create or replace table intermediate.prefix_images as
select
    prefixes.prefix_key,
    prefixes.position,
    prefixes.image_count,
    manifests.manifest_key,
    prefixes.position + 1 < manifests.layer_count as is_continued
from main.layers
inner join intermediate.common_prefixes as prefixes
    on layers.prefix_digest = prefixes.prefix_digest
inner join intermediate.manifest_keys as manifests
    on layers.manifest_digest = manifests.manifest_digest
where
    manifests.manifest_kind in ('image', 'schema1')
    and manifests.manifest_key in (
        select reached.node_key
        from intermediate.reached_manifests as reached
        inner join intermediate.tagged_manifests as tagged
            on reached.root_key = tagged.manifest_key
    );
