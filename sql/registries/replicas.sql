-- One row per blob that live tags of several registries reach: each registry holds a copy
-- of its own. Sizes as in reports.shared_layers; manifests' own texts are not counted.
create or replace table reports.replicas as
with recursive
-- The union drops rows met before, so an index that contains itself ends the walk.
reached as (
    select distinct registry, manifest_digest from tags
    union
    select reached.registry, platforms.manifest_digest
    from reached
    inner join platforms on reached.manifest_digest = platforms.index_digest
    where not platforms.is_blob
),

stated as (
    select manifest_digest, config_digest as blob_digest, config_bytes as size_bytes
    from manifests
    where config_digest is not null
    union all
    select manifest_digest, blob_digest, size_bytes
    from layers
    where is_stored
    union all
    select index_digest, manifest_digest, manifest_bytes
    from platforms
    where is_blob
),

held as (
    select
        stated.blob_digest,
        count(distinct reached.registry) as registry_count,
        string_agg(distinct reached.registry, ', ' order by reached.registry)
            as registries,
        min(stated.size_bytes) as size_bytes,
        max(stated.size_bytes) as most_bytes
    from reached
    inner join stated on reached.manifest_digest = stated.manifest_digest
    group by stated.blob_digest
)

select
    blob_digest,
    registry_count,
    registries,
    size_bytes,
    case
        when size_bytes is null then 'unknown'
        when size_bytes = most_bytes then 'exact'
        else 'lower_bound'
    end as size_basis
from held
where registry_count > 1
order by blob_digest;

comment on table reports.replicas is 'One row per blob that live tags of several registries reach. Only in a warehouse of several registries.';
comment on column reports.replicas.blob_digest is 'Digest of the layer or configuration.';
comment on column reports.replicas.registry_count is 'Registries that hold it.';
comment on column reports.replicas.registries is 'Their short names, separated by commas.';
comment on column reports.replicas.size_bytes is 'Its size in each of them, the smallest any manifest states; null when none does.';
comment on column reports.replicas.size_basis is 'exact, lower_bound (manifests state different sizes) or unknown (none states any).';
