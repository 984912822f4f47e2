-- One row per manifest and place where it names a blob: what it states of it. position is
-- null for a configuration. A blob that an index holds itself counts as a layer.
-- A size that the registry was asked for stands beside the statement that has none, from
-- the run that asked.
create or replace table intermediate.blob_statements as
with
layers as (
    select
        prefixes.prefix_key,
        blobs.blob_key,
        stated_size(prefixes.blob_digest, prefixes.size_bytes) as size_bytes,
        prefixes.is_stored,
        prefixes.position
    from ingest.layer_prefixes as prefixes
    inner join intermediate.blob_keys as blobs on prefixes.blob_digest = blobs.blob_digest
),

stated as (
    select
        manifests.manifest_key,
        blobs.blob_key,
        stated_size(described.config_digest, described.config_bytes) as size_bytes,
        true as is_stored,
        cast(null as integer) as position
    from main.manifests as described
    inner join intermediate.manifest_keys as manifests
        on described.manifest_digest = manifests.manifest_digest
    inner join intermediate.blob_keys as blobs
        on described.config_digest = blobs.blob_digest
    union all
    select
        listed.manifest_key,
        layers.blob_key,
        layers.size_bytes,
        layers.is_stored,
        layers.position
    from intermediate.listed_layers as listed
    inner join layers on listed.prefix_key = layers.prefix_key
    union all
    select
        manifests.manifest_key,
        blobs.blob_key,
        stated_size(platforms.manifest_digest, platforms.manifest_bytes) as size_bytes,
        true as is_stored,
        platforms.position
    from main.platforms
    inner join intermediate.manifest_keys as manifests
        on platforms.index_digest = manifests.manifest_digest
    inner join intermediate.blob_keys as blobs
        on platforms.manifest_digest = blobs.blob_digest
    where platforms.is_blob
),

measured as (
    select
        blobs.blob_key,
        stated_size(blobs.blob_digest, min(pulls.size_bytes)) as size_bytes,
        min(runs.run_key) as run_key
    from ingest.pulls
    inner join intermediate.run_numbers as runs on pulls.run_id = runs.run_id
    inner join intermediate.blob_keys as blobs on pulls.digest = blobs.blob_digest
    where pulls.kind = 'blob' and pulls.outcome = 'read'
    group by blobs.blob_key, blobs.blob_digest
),

statements as (
    select *, cast(null as integer) as measured_run_key
    from stated
    union all
    select
        stated.manifest_key,
        stated.blob_key,
        measured.size_bytes,
        stated.is_stored,
        stated.position,
        measured.run_key as measured_run_key
    from measured
    inner join stated on measured.blob_key = stated.blob_key
    where stated.size_bytes is null
)

select
    statements.manifest_key,
    manifests.is_readable,
    greatest(
        coalesce(manifests.first_run_key, 1),
        coalesce(statements.measured_run_key, 1)
    ) as first_run_key,
    statements.blob_key,
    statements.size_bytes,
    statements.is_stored or held.manifest_key is not null as is_stored,
    statements.position
from statements
inner join intermediate.manifest_keys as manifests
    on statements.manifest_key = manifests.manifest_key
left join intermediate.held_images as held
    on statements.manifest_key = held.manifest_key;
