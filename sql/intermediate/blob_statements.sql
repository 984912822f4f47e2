-- One row per manifest and place where it names a blob: what it states of it. position is
-- null for a configuration. A blob that an index holds itself counts as a layer.
-- A size that the registry was asked for stands beside the statement that has none, from
-- the run that asked.
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
),

measured as (
    select
        pulls.digest as blob_digest,
        min(pulls.size_bytes) as size_bytes,
        min(runs.run_key) as run_key
    from ingest.pulls
    inner join intermediate.run_numbers as runs on pulls.run_id = runs.run_id
    where pulls.kind = 'blob' and pulls.outcome = 'read'
    group by pulls.digest
),

statements as (
    select
        stated.manifest_digest,
        stated.blob_digest,
        stated_size(stated.blob_digest, stated.size_bytes) as size_bytes,
        stated.is_stored,
        stated.position,
        cast(null as integer) as measured_run_key
    from stated
    union all
    select
        stated.manifest_digest,
        stated.blob_digest,
        stated_size(stated.blob_digest, measured.size_bytes) as size_bytes,
        stated.is_stored,
        stated.position,
        measured.run_key as measured_run_key
    from measured
    inner join stated on measured.blob_digest = stated.blob_digest
    where stated_size(stated.blob_digest, stated.size_bytes) is null
)

select
    manifests.manifest_key,
    manifests.is_readable,
    greatest(
        coalesce(manifests.first_run_key, 1),
        coalesce(statements.measured_run_key, 1)
    ) as first_run_key,
    blobs.blob_key,
    statements.size_bytes,
    statements.is_stored or held.manifest_key is not null as is_stored,
    statements.position
from statements
inner join intermediate.manifest_keys as manifests
    on statements.manifest_digest = manifests.manifest_digest
inner join intermediate.blob_keys as blobs
    on statements.blob_digest = blobs.blob_digest
left join intermediate.held_images as held on manifests.manifest_key = held.manifest_key;
