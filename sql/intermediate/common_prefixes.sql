-- One row per series of layers, from the base up, with which several live images begin.
-- continued_count: those that have more layers. example_key: any one of them.
create or replace table intermediate.common_prefixes as
with counted as (
    select
        listed.prefix_key,
        images.layer_count,
        count(*) as image_count,
        min(images.manifest_key) as example_key
    from intermediate.listed_layers as listed
    inner join intermediate.live_images as images
        on listed.manifest_key = images.manifest_key
    group by listed.prefix_key, images.layer_count
)

select
    cast(
        row_number() over (order by prefixes.prefix_digest, prefixes.position) as bigint
    ) as prefix_key,
    prefixes.prefix_digest,
    prefixes.position,
    cast(sum(counted.image_count) as bigint) as image_count,
    sum(
        case
            when prefixes.position + 1 < counted.layer_count then counted.image_count
            else 0
        end
    ) as continued_count,
    min(counted.example_key) as example_key
from counted
inner join ingest.layer_prefixes as prefixes on counted.prefix_key = prefixes.prefix_key
group by prefixes.prefix_digest, prefixes.position
having sum(counted.image_count) > 1;
