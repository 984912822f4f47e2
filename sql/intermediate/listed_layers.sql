-- One row per manifest and series of layers that it begins with, as ingest.layer_prefixes
-- numbers them.
create or replace table intermediate.listed_layers as
with listed as (
    select manifest_digest, unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
)

select keys.manifest_key, listed.prefix_key
from listed
inner join intermediate.manifest_keys as keys
    on listed.manifest_digest = keys.manifest_digest;
