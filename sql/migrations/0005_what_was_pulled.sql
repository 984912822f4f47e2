-- What the tag lists leave out and the registry was asked for, and what it counts itself.

create table ingest.pulls (
    registry varchar not null,
    kind varchar not null,
    digest varchar not null,
    namespace varchar not null,
    repository varchar not null,
    outcome varchar not null,
    size_bytes bigint,
    detail varchar,
    run_id varchar not null,
    asked_at timestamptz not null
);

create table image_configs (
    manifest_digest varchar not null,
    config_digest varchar not null,
    os varchar,
    architecture varchar,
    variant varchar,
    built_at timestamptz,
    labels varchar not null,
    base_name varchar,
    base_digest varchar,
    history_steps integer,
    problem varchar
);

create table image_labels (
    config_digest varchar not null,
    label_key varchar not null,
    label_value varchar not null
);

create table ingest.service_figures (
    registry varchar not null,
    run_id varchar not null,
    name varchar not null,
    answer varchar,
    error varchar,
    namespace_count bigint,
    repository_count bigint,
    tag_count bigint,
    stored double,
    asked_at timestamptz not null
);

create table ingest.download_counts (
    registry varchar not null,
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    download_count bigint not null
);

create view downloads as
select
    counts.registry,
    counts.namespace,
    counts.repository,
    runs.as_of,
    counts.download_count,
    count(pulls.digest) as own_pulls
from ingest.download_counts as counts
inner join ingest.runs as runs on counts.run_id = runs.run_id
left join ingest.pulls as pulls
    on counts.registry = pulls.registry
    and counts.namespace = pulls.namespace
    and counts.repository = pulls.repository
    and pulls.kind <> 'blob'
    -- What the registry did not have was not pulled from it.
    and pulls.outcome <> 'missing'
    and pulls.asked_at < runs.as_of
group by all;
comment on view downloads is 'One row per repository and run that found another count of pulls than the run before.';
comment on column downloads.registry is 'Short name of the registry.';
comment on column downloads.namespace is 'Namespace (organization).';
comment on column downloads.repository is 'Repository name.';
comment on column downloads.as_of is 'as_of of the run.';
comment on column downloads.download_count is 'Pulls since the repository was made, as the registry counts them.';
comment on column downloads.own_pulls is 'Manifests and configurations that runs pulled from it until then: whether the registry counts them is not known.';

alter table ingest.runs add column report_labels varchar;
alter table ingest.runs add column pulls_left bigint;
alter table ingest.runs add column resolve_problem varchar;

create view images as
with recursive
-- The union drops rows met before, so an index that contains itself ends the walk.
reached as (
    select distinct
        manifest_digest as root_digest,
        manifest_digest,
        cast(null as varchar) as os,
        cast(null as varchar) as architecture,
        cast(null as varchar) as variant,
        false as is_attestation
    from tags
    union
    select
        reached.root_digest,
        platforms.manifest_digest,
        platforms.os,
        platforms.architecture,
        platforms.variant,
        platforms.is_attestation
    from reached
    inner join platforms on reached.manifest_digest = platforms.index_digest
),

found as (
    select distinct
        reached.root_digest,
        reached.manifest_digest,
        coalesce(configs.os, reached.os) as os,
        coalesce(configs.architecture, reached.architecture) as architecture,
        coalesce(configs.variant, reached.variant) as variant,
        manifests.logical_bytes as bytes,
        manifests.size_basis,
        configs.built_at
    from reached
    inner join manifests on reached.manifest_digest = manifests.manifest_digest
    left join image_configs as configs
        on reached.manifest_digest = configs.manifest_digest
    where manifests.manifest_kind in ('image', 'schema1') and not reached.is_attestation
)

select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    tags.manifest_digest,
    found.manifest_digest as image_digest,
    found.os || '/' || found.architecture || coalesce('/' || found.variant, '') as platform,
    found.os,
    found.architecture,
    found.variant,
    found.bytes,
    found.size_basis,
    found.built_at
from tags
inner join found on tags.manifest_digest = found.root_digest;
comment on view images is 'One row per live tag and image it reaches, itself or through an index: attestations are none.';
comment on column images.registry is 'Short name of the registry.';
comment on column images.namespace is 'Namespace (organization).';
comment on column images.repository is 'Repository name.';
comment on column images.tag is 'Tag name.';
comment on column images.manifest_digest is 'The manifest the tag points at.';
comment on column images.image_digest is 'The image: the same manifest, or a child of an index.';
comment on column images.platform is 'os/architecture, with /variant where there is one; null where neither the index nor a configuration that was read names it.';
comment on column images.os is 'Operating system, verbatim.';
comment on column images.architecture is 'Processor architecture, verbatim.';
comment on column images.variant is 'Variant of the architecture, verbatim.';
comment on column images.bytes is 'Bytes of its distinct stored blobs, as the manifest states them; null when nothing is known.';
comment on column images.size_basis is 'exact, lower_bound (some parts unknown) or unknown, for bytes.';
comment on column images.built_at is 'When it was built, by its configuration; null unless that was read.';
