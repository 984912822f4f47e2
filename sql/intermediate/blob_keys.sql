-- One row per digest of a configuration, layer or other blob that a manifest names: a
-- short key.
create or replace table intermediate.blob_keys as
with digests as (
    select blob_digest from ingest.layer_prefixes
    union
    select config_digest as blob_digest
    from main.manifests
    where config_digest is not null
    union
    select manifest_digest as blob_digest from main.platforms where is_blob
)

select
    row_number() over () as blob_key,
    blob_digest
from digests;
