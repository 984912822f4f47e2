-- One row per manifest and place where it names a blob: what it states of it. position is
-- null for the configuration.
create or replace temp table blob_statements as
with
manifests as (select * from main.manifests),
layers as (select * from main.layers),
manifest_keys as (select * from manifest_keys),
blob_keys as (select * from blob_keys),

stated as (
    select
        manifest_digest,
        config_digest as blob_digest,
        config_bytes as size_bytes,
        true as is_stored,
        cast(null as integer) as position
    from manifests
    where config_digest is not null
    union all
    select manifest_digest, blob_digest, size_bytes, is_stored, position
    from layers
)

select
    manifest_keys.manifest_key,
    manifest_keys.is_readable,
    coalesce(manifest_keys.first_run_key, 1) as first_run_key,
    blob_keys.blob_key,
    stated.size_bytes,
    stated.is_stored,
    stated.position
from stated
inner join manifest_keys on stated.manifest_digest = manifest_keys.manifest_digest
inner join blob_keys on stated.blob_digest = blob_keys.blob_digest;
