-- One row per image with layers in an order that a live tag reaches.
create or replace table intermediate.live_images as
select
    manifest_key,
    manifest_digest,
    layer_count
from intermediate.manifest_keys
where
    manifest_kind in ('image', 'schema1')
    and manifest_key in (
        select reached.node_key
        from intermediate.reached_manifests as reached
        inner join intermediate.tagged_manifests as tagged
            on reached.root_key = tagged.manifest_key
    );
