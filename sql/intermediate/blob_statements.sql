-- One row per manifest and place where it names a blob: what it states of it. position is
-- null for the configuration.
create or replace temp table blob_statements as
with stated as (
    select
        manifest_digest,
        config_digest as blob_digest,
        config_bytes as size_bytes,
        true as is_stored,
        cast(null as integer) as position
    from main.manifests
    where config_digest is not null
    union all
    select manifest_digest, blob_digest, size_bytes, is_stored, position
    from main.layers
)

select
    manifests.manifest_key,
    manifests.is_readable,
    coalesce(manifests.first_run_key, 1) as first_run_key,
    blobs.blob_key,
    stated.size_bytes,
    stated.is_stored,
    stated.position
from stated
inner join manifest_keys as manifests
    on stated.manifest_digest = manifests.manifest_digest
inner join blob_keys as blobs on stated.blob_digest = blobs.blob_digest;
