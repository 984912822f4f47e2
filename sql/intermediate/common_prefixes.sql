-- One row per series of layers, from the base up, with which several live images begin.
-- continued_count: those that have more layers. example_key: any one of them.
create or replace table intermediate.common_prefixes as
with images as (
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
        )
)

select
    cast(row_number() over (order by layers.prefix_digest) as integer) as prefix_key,
    layers.prefix_digest,
    layers.position,
    count(*) as image_count,
    sum(case when layers.position + 1 < images.layer_count then 1 else 0 end)
        as continued_count,
    min(images.manifest_key) as example_key
from main.layers
inner join images on layers.manifest_digest = images.manifest_digest
group by layers.prefix_digest, layers.position
having count(*) > 1;
