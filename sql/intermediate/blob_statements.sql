-- One row per manifest and place where it names a blob: what it states of it. position is
-- null for a configuration. A blob that an index holds itself counts as a layer.
create or replace table intermediate.blob_statements as
with
stated as (
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
    union all
    select
        index_digest as manifest_digest,
        manifest_digest as blob_digest,
        manifest_bytes as size_bytes,
        true as is_stored,
        position
    from main.platforms
    where is_blob
)

select
    manifests.manifest_key,
    manifests.is_readable,
    coalesce(manifests.first_run_key, 1) as first_run_key,
    blobs.blob_key,
    stated_size(stated.blob_digest, stated.size_bytes) as size_bytes,
    stated.is_stored or held.manifest_key is not null as is_stored,
    stated.position
from stated
inner join intermediate.manifest_keys as manifests
    on stated.manifest_digest = manifests.manifest_digest
inner join intermediate.blob_keys as blobs on stated.blob_digest = blobs.blob_digest
left join intermediate.held_images as held on manifests.manifest_key = held.manifest_key;
