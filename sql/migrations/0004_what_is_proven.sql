-- What a run needs to say how far a figure is proven: which registry a row belongs to, when
-- each repository was last proven, what the latest crawl of it left open, and which namespaces
-- were listed. Rows of before belong to a registry without a name; the next load names it.

create table registries (
    registry varchar not null,
    endpoint varchar not null,
    region varchar,
    domain varchar,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null
);

alter table ingest.runs add column registry varchar;
alter table ingest.runs add column exact_hours double;
alter table ingest.runs add column clock_set_back_seconds double;
alter table ingest.runs add column clock_offset_seconds double;
alter table ingest.runs add column reader_version integer;

create table ingest.namespaces (
    registry varchar not null,
    namespace varchar not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    list_status varchar not null,
    listed_at timestamptz,
    unreadable_repositories bigint not null,
    error varchar
);

drop view tag_layers;

alter table ingest.crawls rename to crawls_before;
create table ingest.crawls (
    registry varchar not null,
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    status varchar not null,
    cause varchar,
    requests integer not null,
    pages integer not null,
    expected bigint,
    received bigint not null,
    duplicates bigint not null,
    attempts integer not null,
    unseen_tag_count bigint,
    is_listed boolean,
    error varchar,
    started_at timestamptz not null,
    finished_at timestamptz not null
);
insert into ingest.crawls by name
select
    '' as registry,
    *
from ingest.crawls_before;

alter table ingest.rejected_records rename to rejected_records_before;
create table ingest.rejected_records (
    registry varchar not null,
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    reason varchar not null,
    record varchar not null
);
insert into ingest.rejected_records by name
select
    '' as registry,
    *
from ingest.rejected_records_before;

alter table ingest.counted_records rename to counted_records_before;
create table ingest.counted_records (
    registry varchar not null,
    namespace varchar not null,
    repository varchar not null,
    record_key varchar not null,
    reason varchar not null,
    updated_at timestamptz,
    fingerprint varchar not null
);
insert into ingest.counted_records by name
select
    '' as registry,
    *
from ingest.counted_records_before;

alter table repositories rename to repositories_before;
create table repositories (
    registry varchar not null,
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
    read_at timestamptz,
    crawl_status varchar,
    crawl_cause varchar,
    crawl_error varchar,
    unseen_tag_count bigint not null,
    unlisted_since timestamptz,
    deleted_detected_at timestamptz
);
-- The latest crawl of each repository, as the loader keeps it from now on.
insert into repositories by name
with numbered as (
    select
        crawls.namespace,
        crawls.repository,
        crawls.status,
        crawls.error,
        row_number() over (
            partition by crawls.namespace, crawls.repository
            order by runs.as_of desc, runs.run_id desc
        ) as from_last
    from ingest.crawls_before as crawls
    inner join ingest.runs as runs on crawls.run_id = runs.run_id
)

select
    '' as registry,
    repositories_before.*,
    repositories_before.last_seen_at as read_at,
    latest.status as crawl_status,
    latest.error as crawl_error,
    0 as unseen_tag_count
from repositories_before
left join numbered as latest
    on repositories_before.namespace = latest.namespace
    and repositories_before.repository = latest.repository
    and latest.from_last = 1;

alter table tags rename to tags_before;
create table tags (
    registry varchar not null,
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
    unreadable_fields varchar,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null
);
insert into tags by name
select
    '' as registry,
    *
from tags_before;

alter table tag_history rename to tag_history_before;
create table tag_history (
    registry varchar not null,
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
insert into tag_history by name
select
    '' as registry,
    *
from tag_history_before;

alter table manifests rename to manifests_before;
create table manifests (
    manifest_digest varchar not null,
    source varchar not null,
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
insert into manifests by name
select
    'tag' as source,
    *
from manifests_before;

drop table ingest.crawls_before;
drop table ingest.rejected_records_before;
drop table ingest.counted_records_before;
drop table repositories_before;
drop table tags_before;
drop table tag_history_before;
drop table manifests_before;

alter table platforms add column is_blob boolean;
update platforms set is_blob = false;

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
