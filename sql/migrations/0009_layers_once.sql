-- Layers are stored once for each series that manifests begin with, under short keys.

create table ingest.layer_prefixes (
    prefix_key bigint not null,
    prefix_digest varchar not null,
    position integer not null,
    blob_digest varchar not null,
    size_bytes bigint,
    media_type varchar,
    is_stored boolean not null
);

create table ingest.manifest_prefixes (
    manifest_digest varchar not null,
    prefix_keys bigint [] not null
);

insert into ingest.layer_prefixes
select
    row_number() over (),
    *
from (
    select distinct
        prefix_digest,
        position,
        blob_digest,
        size_bytes,
        media_type,
        is_stored
    from layers
);

insert into ingest.manifest_prefixes
select
    layers.manifest_digest,
    list(prefixes.prefix_key order by layers.position)
from layers
inner join ingest.layer_prefixes as prefixes
    on layers.prefix_digest = prefixes.prefix_digest
    and layers.position = prefixes.position
    and layers.blob_digest = prefixes.blob_digest
    and layers.size_bytes is not distinct from prefixes.size_bytes
    and layers.media_type is not distinct from prefixes.media_type
    and layers.is_stored = prefixes.is_stored
group by layers.manifest_digest;

drop view tag_layers;

drop table layers;

create view layers as
select
    listed.manifest_digest,
    prefixes.position,
    prefixes.blob_digest,
    prefixes.size_bytes,
    prefixes.media_type,
    prefixes.is_stored,
    prefixes.prefix_digest
from (
    select
        manifest_digest,
        unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
) as listed
inner join ingest.layer_prefixes as prefixes
    on listed.prefix_key = prefixes.prefix_key;
comment on view layers is 'One row per manifest and layer position.';
comment on column layers.manifest_digest is 'The manifest.';
comment on column layers.position is '0 is the base.';
comment on column layers.blob_digest is 'Digest of the layer.';
comment on column layers.size_bytes is 'Size this manifest states; null when it states none.';
comment on column layers.media_type is 'Media type; null for schema 1.';
comment on column layers.is_stored is 'False for foreign (non-distributable) layers, which the registry does not hold.';
comment on column layers.prefix_digest is 'sha256 over the layer digests from the base up to here: equal prefix, same base.';

create view tag_layers as
with recursive
-- The union drops rows met before, so an index that contains itself ends the walk.
reached as (
    select distinct
        manifest_digest as root_digest,
        manifest_digest
    from tags
    union
    select
        reached.root_digest,
        platforms.manifest_digest
    from reached
    inner join platforms on reached.manifest_digest = platforms.index_digest
)

select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    tags.manifest_digest,
    layers.manifest_digest as image_digest,
    layers.position,
    layers.blob_digest,
    layers.size_bytes,
    layers.media_type,
    layers.is_stored
from tags
inner join reached on tags.manifest_digest = reached.root_digest
inner join layers on reached.manifest_digest = layers.manifest_digest;
comment on view tag_layers is 'One row per live tag and layer of the manifest it points at, through the children of an index.';
comment on column tag_layers.registry is 'Short name of the registry.';
comment on column tag_layers.namespace is 'Namespace (organization).';
comment on column tag_layers.repository is 'Repository name, with / where it has levels.';
comment on column tag_layers.tag is 'Tag name.';
comment on column tag_layers.manifest_digest is 'The manifest the tag points at.';
comment on column tag_layers.image_digest is 'The manifest that lists the layer: the same one, or a child of an index.';
comment on column tag_layers.position is '0 is the base.';
comment on column tag_layers.blob_digest is 'Digest of the layer.';
comment on column tag_layers.size_bytes is 'Size the manifest states; null when it states none.';
comment on column tag_layers.media_type is 'Media type of the layer.';
comment on column tag_layers.is_stored is 'False for foreign (non-distributable) layers.';
