-- error
-- One row per manifest_digest, position: each layer has the position of its place in the list.
-- The rows of main.layers, without making them all at once.
with
places as (
    select
        manifest_digest,
        prefix_keys,
        unnest(range(1, array_length(prefix_keys) + 1)) as place
    from ingest.manifest_prefixes
),

listed as (
    select manifest_digest, place, list_extract(prefix_keys, place) as prefix_key
    from places
)

select listed.manifest_digest, listed.place, prefixes.position
from listed
inner join ingest.layer_prefixes as prefixes on listed.prefix_key = prefixes.prefix_key
where listed.place - 1 <> prefixes.position;
