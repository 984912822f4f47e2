-- Manifests' texts in zstd: a third of the bytes, and half the time to write them.
-- A column's compression is told when its table is made.
alter table manifests rename to manifests_before;

create table manifests (
    manifest_digest varchar not null,
    manifest_kind varchar not null,
    media_type varchar,
    artifact_type varchar,
    schema_version integer,
    config_digest varchar,
    config_media_type varchar,
    config_bytes bigint,
    layer_count integer,
    logical_bytes bigint,
    size_basis varchar not null,
    digest_verified boolean,
    subject_digest varchar,
    manifest_bytes bigint not null,
    manifest varchar using compression zstd not null,
    problem varchar,
    first_seen_at timestamptz not null
);

insert into manifests
select *
from manifests_before;

drop table manifests_before;

comment on table manifests is 'One row per distinct manifest digest ever seen.';
comment on column manifests.manifest_digest is 'Digest, as the registry says it; never recomputed.';
comment on column manifests.manifest_kind is 'image, index, schema1, artifact, unknown or invalid.';
comment on column manifests.media_type is 'The manifest''s media type, stated or told from its shape; null when it cannot be told.';
comment on column manifests.artifact_type is 'OCI artifactType, where stated.';
comment on column manifests.schema_version is 'schemaVersion, where stated.';
comment on column manifests.config_digest is 'Digest of the configuration blob.';
comment on column manifests.config_media_type is 'Media type of the configuration blob.';
comment on column manifests.config_bytes is 'Size of the configuration blob.';
comment on column manifests.layer_count is 'Layers listed; null for indexes and invalid manifests.';
comment on column manifests.logical_bytes is 'Bytes of the distinct stored blobs this one manifest states itself: configuration and layers; null when nothing is known.';
comment on column manifests.size_basis is 'exact, lower_bound (some parts unknown) or unknown, for logical_bytes.';
comment on column manifests.digest_verified is 'Whether the digest is that of the text; null when its algorithm is not known here.';
comment on column manifests.subject_digest is 'Digest this manifest refers to as its subject: signatures, attestations, SBOMs.';
comment on column manifests.manifest_bytes is 'Length of the text in bytes of UTF-8.';
comment on column manifests.manifest is 'The text, verbatim.';
comment on column manifests.problem is 'What is wrong with it, in one sentence; null when nothing is.';
comment on column manifests.first_seen_at is 'as_of of the run that first stored it.';
