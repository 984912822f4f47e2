-- One row per series of layers, from the base up, with which several live images begin.
-- continued_count: those that have more layers. example_key: any one of them.
create or replace table intermediate.common_prefixes as
select
    cast(row_number() over (order by layers.prefix_digest) as integer) as prefix_key,
    layers.prefix_digest,
    layers.position,
    count(*) as image_count,
    sum(case when layers.position + 1 < images.layer_count then 1 else 0 end)
        as continued_count,
    min(images.manifest_key) as example_key
from main.layers
inner join intermediate.live_images as images
    on layers.manifest_digest = images.manifest_digest
group by layers.prefix_digest, layers.position
having count(*) > 1;
