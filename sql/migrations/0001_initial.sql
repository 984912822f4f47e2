-- The warehouse as first released: what is true now (main) and what each run did (ingest).
-- Schema reports holds no table here: every file of sql/reports makes its own.
-- Keys are unique by the way rows are loaded and audited by sql/checks, not by indexes:
-- an index over millions of digests would have to fit in memory.

create schema ingest;
create schema reports;

create table ingest.migrations (
    number integer not null,
    name varchar not null,
    sha256 varchar not null,
    applied_at timestamptz not null
);
comment on table ingest.migrations is 'One row per applied file of sql/migrations.';
comment on column ingest.migrations.number is 'Its number; they are applied in this order.';
comment on column ingest.migrations.name is 'Its file name.';
comment on column ingest.migrations.sha256 is 'Hash of its text as applied; it must not change afterwards.';
comment on column ingest.migrations.applied_at is 'When it was applied.';

create table ingest.runs (
    run_id varchar not null,
    as_of timestamptz not null,
    mode varchar not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    status varchar not null,
    scope varchar not null,
    unread_namespaces integer not null,
    unread_repositories integer not null,
    stale_days integer not null,
    requests integer not null,
    retries integer not null,
    throttled_seconds double not null
);
comment on table ingest.runs is 'One row per published run.';
comment on column ingest.runs.run_id is 'Identifier of the run; the Dagster run''s where Dagster started it.';
comment on column ingest.runs.as_of is 'The moment all ages of this run''s reports are computed for.';
comment on column ingest.runs.mode is 'incremental (unchanged repositories are asked for one short page) or full.';
comment on column ingest.runs.started_at is 'When the run began.';
comment on column ingest.runs.finished_at is 'When its crawl was loaded.';
comment on column ingest.runs.status is 'complete (every repository proven) or partial (some incomplete or failed).';
comment on column ingest.runs.scope is 'What the run was asked to read, as JSON: namespaces and repositories, globs with ! for exclusions; empty means everything visible.';
comment on column ingest.runs.unread_namespaces is 'Visible namespaces this run did not read: outside its scope, or their repository list refused or failed.';
comment on column ingest.runs.unread_repositories is 'Listed repositories of the read namespaces that were outside the run''s scope.';
comment on column ingest.runs.stale_days is 'A tag not updated for this many days counts as stale in this run''s reports.';
comment on column ingest.runs.requests is 'HTTP requests answered or failed, retries included.';
comment on column ingest.runs.retries is 'Requests sent again after a retryable failure.';
comment on column ingest.runs.throttled_seconds is 'Seconds spent waiting because the endpoint said 429.';

create table ingest.crawls (
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    status varchar not null,
    requests integer not null,
    pages integer not null,
    expected bigint,
    received bigint not null,
    duplicates bigint not null,
    attempts integer not null,
    error varchar,
    started_at timestamptz not null,
    finished_at timestamptz not null
);
comment on table ingest.crawls is 'One row per run and repository: how the reading of it went.';
comment on column ingest.crawls.run_id is 'The run.';
comment on column ingest.crawls.namespace is 'Namespace (organization) of the repository.';
comment on column ingest.crawls.repository is 'Repository name, with / where it has levels.';
comment on column ingest.crawls.status is 'complete (proven to be what is live), unchanged (proven equal to what was known), incomplete (could not be proven; nothing inferred deleted), failed (could not be read; last known rows kept) or missing (answered 404; its tags are closed).';
comment on column ingest.crawls.requests is 'HTTP requests this repository cost, retries included.';
comment on column ingest.crawls.pages is 'Tag pages received.';
comment on column ingest.crawls.expected is 'Records the registry said the repository has, in its last answer; null if it never said.';
comment on column ingest.crawls.received is 'Distinct records received in the last walk; an incremental reading may need only the newest.';
comment on column ingest.crawls.duplicates is 'Records received more than once in the last walk.';
comment on column ingest.crawls.attempts is 'Walks through the repository.';
comment on column ingest.crawls.error is 'Why the status is incomplete or failed.';
comment on column ingest.crawls.started_at is 'When its first request was about to be sent.';
comment on column ingest.crawls.finished_at is 'When its last answer had arrived.';

create table ingest.rejected_records (
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    reason varchar not null,
    record varchar not null
);
comment on table ingest.rejected_records is 'One row per tag record that could not be used, as received.';
comment on column ingest.rejected_records.run_id is 'The run that received it.';
comment on column ingest.rejected_records.namespace is 'Namespace asked for.';
comment on column ingest.rejected_records.repository is 'Repository asked for.';
comment on column ingest.rejected_records.reason is 'What is wrong with it.';
comment on column ingest.rejected_records.record is 'Its raw text; bytes that are no UTF-8 as backslash escapes.';

create table ingest.counted_records (
    namespace varchar not null,
    repository varchar not null,
    record_key varchar not null,
    reason varchar not null,
    updated_at timestamptz,
    fingerprint varchar not null
);
comment on table ingest.counted_records is 'One row per record that a repository''s total counts and that is no live tag, so that the next run can tell an unchanged repository from a changed one.';
comment on column ingest.counted_records.namespace is 'Namespace of the repository.';
comment on column ingest.counted_records.repository is 'Repository name.';
comment on column ingest.counted_records.record_key is 'Tag name; for a record without a readable name, # and its id or the hash of its text.';
comment on column ingest.counted_records.reason is 'deleted (the record says so itself) or rejected (see ingest.rejected_records).';
comment on column ingest.counted_records.updated_at is 'When the registry says the record was last updated; null if unreadable.';
comment on column ingest.counted_records.fingerprint is 'What tells one version of the record from another: a readable record''s manifest digest, after the word deleted where it is flagged so; the hash of an unreadable one''s text.';

create table repositories (
    namespace varchar not null,
    repository varchar not null,
    repo_id bigint,
    is_public boolean,
    api_size_bytes bigint,
    api_tag_count bigint,
    download_count bigint,
    created_at timestamptz,
    updated_at timestamptz,
    tag_count bigint not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz,
    deleted_detected_at timestamptz
);
comment on table repositories is 'One row per repository ever read.';
comment on column repositories.namespace is 'Namespace (organization).';
comment on column repositories.repository is 'Repository name, with / where it has levels.';
comment on column repositories.repo_id is 'The registry''s id, taken from its tag records; null if none was ever read.';
comment on column repositories.is_public is 'Whether anyone may pull from it.';
comment on column repositories.api_size_bytes is 'The registry''s own word on its size.';
comment on column repositories.api_tag_count is 'The registry''s own word on its number of tags, from the repository list.';
comment on column repositories.download_count is 'Pulls, as the registry counts them.';
comment on column repositories.created_at is 'When it was created, says the registry.';
comment on column repositories.updated_at is 'When it was last updated, says the registry.';
comment on column repositories.tag_count is 'Live tags in this warehouse.';
comment on column repositories.first_seen_at is 'as_of of the first run that listed or read it.';
comment on column repositories.last_seen_at is 'as_of of the last run that read it completely or found it unchanged; null if none has.';
comment on column repositories.deleted_detected_at is 'When a run first found it gone; null while it is there.';

create table tags (
    namespace varchar not null,
    repository varchar not null,
    tag varchar not null,
    tag_id bigint,
    repo_id bigint,
    manifest_digest varchar not null,
    image_id varchar,
    manifest_kind varchar not null,
    schema_version integer,
    tag_type integer,
    api_size_bytes bigint,
    is_trusted boolean,
    is_scanned boolean,
    path varchar,
    internal_path varchar,
    domain_id varchar,
    created_at timestamptz,
    updated_at timestamptz not null,
    api_deleted_at timestamptz,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null
);
comment on table tags is 'One row per live tag.';
comment on column tags.namespace is 'Namespace (organization).';
comment on column tags.repository is 'Repository name, with / where it has levels.';
comment on column tags.tag is 'Tag name.';
comment on column tags.tag_id is 'The registry''s id of the tag.';
comment on column tags.repo_id is 'The registry''s id of the repository.';
comment on column tags.manifest_digest is 'Digest of the manifest the tag points at, as the registry says it.';
comment on column tags.image_id is 'Hex digest of the image configuration, as the registry says it; empty for indexes.';
comment on column tags.manifest_kind is 'Kind of that manifest, from manifests.';
comment on column tags.schema_version is 'Docker schema version, says the registry: 1 or 2.';
comment on column tags.tag_type is 'The registry''s type: 0 manifest, 1 manifest list.';
comment on column tags.api_size_bytes is 'The registry''s own word on the image''s size: configuration and layers.';
comment on column tags.is_trusted is 'Whether the registry calls the image trusted.';
comment on column tags.is_scanned is 'Whether the registry has scanned it; null where it does not say.';
comment on column tags.path is 'Pull address.';
comment on column tags.internal_path is 'Pull address inside the cloud.';
comment on column tags.domain_id is 'Account that owns it.';
comment on column tags.created_at is 'When the tag was created, says the registry.';
comment on column tags.updated_at is 'When the tag was last pushed or moved, says the registry.';
comment on column tags.api_deleted_at is 'When it was deleted, says the registry; null for every live tag.';
comment on column tags.first_seen_at is 'When a crawl first read the tag.';
comment on column tags.last_seen_at is 'as_of of the last run that read the record; for unchanged repositories see repositories.last_seen_at.';

create table tag_history (
    namespace varchar not null,
    repository varchar not null,
    tag varchar not null,
    manifest_digest varchar,
    change varchar not null,
    valid_from timestamptz not null,
    valid_from_earliest timestamptz,
    valid_to timestamptz,
    valid_to_earliest timestamptz
);
comment on table tag_history is 'One row per interval during which a tag pointed at one digest, or was deleted. The truth of a change lies between its _earliest moment and the moment beside it.';
comment on column tag_history.namespace is 'Namespace (organization).';
comment on column tag_history.repository is 'Repository name.';
comment on column tag_history.tag is 'Tag name.';
comment on column tag_history.manifest_digest is 'The digest; null while deleted.';
comment on column tag_history.change is 'How the interval began: created, moved, deleted or restored.';
comment on column tag_history.valid_from is 'When a crawl saw the change.';
comment on column tag_history.valid_from_earliest is 'The last complete crawl before that, which did not see it; null if there was none.';
comment on column tag_history.valid_to is 'When a crawl saw the next change; null while the interval is open.';
comment on column tag_history.valid_to_earliest is 'The last complete crawl before the next change; null while open, or if there was none.';

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
    manifest varchar not null,
    problem varchar,
    first_seen_at timestamptz not null
);
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

create table layers (
    manifest_digest varchar not null,
    position integer not null,
    blob_digest varchar not null,
    size_bytes bigint,
    media_type varchar,
    is_stored boolean not null,
    prefix_digest varchar not null
);
comment on table layers is 'One row per manifest and layer position.';
comment on column layers.manifest_digest is 'The manifest.';
comment on column layers.position is '0 is the base.';
comment on column layers.blob_digest is 'Digest of the layer.';
comment on column layers.size_bytes is 'Size this manifest states; null when it states none.';
comment on column layers.media_type is 'Media type; null for schema 1.';
comment on column layers.is_stored is 'False for foreign (non-distributable) layers, which the registry does not hold.';
comment on column layers.prefix_digest is 'sha256 over the layer digests from the base up to here: equal prefix, same base.';

create table platforms (
    index_digest varchar not null,
    position integer not null,
    manifest_digest varchar not null,
    media_type varchar,
    manifest_bytes bigint,
    os varchar,
    architecture varchar,
    variant varchar,
    os_version varchar,
    is_attestation boolean not null
);
comment on table platforms is 'One row per child of an index.';
comment on column platforms.index_digest is 'The index (manifest list).';
comment on column platforms.position is 'Place in the index, from 0.';
comment on column platforms.manifest_digest is 'Digest of the child.';
comment on column platforms.media_type is 'Media type of the child, as the index states it.';
comment on column platforms.manifest_bytes is 'Length of the child manifest, as the index states it.';
comment on column platforms.os is 'Operating system, verbatim.';
comment on column platforms.architecture is 'Processor architecture, verbatim.';
comment on column platforms.variant is 'Variant of the architecture, verbatim.';
comment on column platforms.os_version is 'Version of the operating system, verbatim.';
comment on column platforms.is_attestation is 'Whether the child is a build attestation and no image.';

create view tag_layers as
select
    tags.namespace,
    tags.repository,
    tags.tag,
    tags.manifest_digest,
    layers.position,
    layers.blob_digest,
    layers.size_bytes,
    layers.media_type,
    layers.is_stored
from tags
inner join layers on tags.manifest_digest = layers.manifest_digest;
comment on view tag_layers is 'One row per live tag and layer of the manifest it points at; an index has none of its own.';
comment on column tag_layers.namespace is 'Namespace (organization).';
comment on column tag_layers.repository is 'Repository name.';
comment on column tag_layers.tag is 'Tag name.';
comment on column tag_layers.manifest_digest is 'The manifest the tag points at.';
comment on column tag_layers.position is '0 is the base.';
comment on column tag_layers.blob_digest is 'Digest of the layer.';
comment on column tag_layers.size_bytes is 'Size the manifest states; null when it states none.';
comment on column tag_layers.media_type is 'Media type of the layer.';
comment on column tag_layers.is_stored is 'False for foreign layers.';
