-- One row per configuration or layer digest any manifest names: a short key.
create or replace temp table blob_keys as
with
manifests as (select * from main.manifests),
layers as (select * from main.layers),

digests as (
    select blob_digest from layers
    union
    select config_digest as blob_digest from manifests where config_digest is not null
)

select
    cast(row_number() over () as integer) as blob_key,
    blob_digest
from digests;
