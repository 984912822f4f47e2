-- One row per stale live tag: not updated for the run's stale_days. Signatures,
-- attestations and bills of materials follow their subject instead: stale when every live
-- tag that reaches it is stale, or none is left. Deleting all stale tags together gives
-- back more than the sum of deleting each alone.
create or replace table reports.stale_tags as
with
tags as (select * from live_tags where is_stale),
tag_sizes as (select * from reports.tag_sizes),
users as (select * from blob_users where is_stale),
sizes as (select * from manifest_sizes),
reading as (select * from reading),

repository_tags as (
    select
        tags.repository_key,
        bool_or(sizes.size_basis <> 'unknown') as is_known,
        bool_or(sizes.has_unread or sizes.has_schema1) as is_uncertain,
        sum(case when sizes.has_unread then 1 else 0 end) as unread_tag_count
    from tags
    inner join sizes on tags.manifest_key = sizes.manifest_key
    group by tags.repository_key
),

registry_tags as (
    select
        bool_or(is_known) as is_known,
        bool_or(is_uncertain) as is_uncertain,
        sum(unread_tag_count) as unread_tag_count
    from repository_tags
),

-- Blobs whose every live user is a stale tag, of this repository or of any.
repository_blobs as (
    select
        lowest_repository_key as repository_key,
        cast(sum(size_bytes) as bigint) as reclaimable_bytes,
        bool_or(is_uncertain) as is_uncertain
    from users
    where repository_count = 1
    group by lowest_repository_key
),

registry_blobs as (
    select
        cast(sum(size_bytes) as bigint) as reclaimable_bytes,
        bool_or(is_uncertain) as is_uncertain
    from users
),

judged as (
    select
        repository_tags.repository_key,
        case
            when repository_tags.is_known
                then coalesce(repository_blobs.reclaimable_bytes, 0)
        end as repository_reclaimable_bytes,
        case
            when registry_tags.is_known
                then coalesce(registry_blobs.reclaimable_bytes, 0)
        end as registry_reclaimable_bytes,
        repository_tags.is_known,
        registry_tags.is_known as is_registry_known,
        repository_tags.is_uncertain or coalesce(repository_blobs.is_uncertain, false)
            as is_uncertain,
        registry_tags.is_uncertain or coalesce(registry_blobs.is_uncertain, false)
            as is_registry_uncertain,
        not reading.is_crawled
            or reading.unread_tag_count > repository_tags.unread_tag_count
            as is_unread_elsewhere,
        not reading.is_crawled
            or reading.unread_tag_count > registry_tags.unread_tag_count
            as is_registry_unread_elsewhere,
        reading.stale_days
    from repository_tags
    cross join registry_tags
    cross join registry_blobs
    cross join reading
    left join repository_blobs
        on repository_tags.repository_key = repository_blobs.repository_key
)

select
    tags.namespace,
    tags.repository,
    tags.tag,
    tag_sizes.manifest_digest,
    tags.subject_digest,
    tags.created_at,
    tags.updated_at,
    tags.updated_age_days,
    judged.stale_days,
    tag_sizes.logical_bytes,
    tag_sizes.size_basis,
    tag_sizes.reclaimable_bytes,
    tag_sizes.reclaimable_basis,
    judged.repository_reclaimable_bytes,
    case
        when not judged.is_known then 'unknown'
        when judged.is_uncertain and judged.is_unread_elsewhere then 'unknown'
        when judged.is_uncertain then 'lower_bound'
        when judged.is_unread_elsewhere then 'upper_bound'
        else 'exact'
    end as repository_reclaimable_basis,
    judged.registry_reclaimable_bytes,
    case
        when not judged.is_registry_known then 'unknown'
        when judged.is_registry_uncertain and judged.is_registry_unread_elsewhere
            then 'unknown'
        when judged.is_registry_uncertain then 'lower_bound'
        when judged.is_registry_unread_elsewhere then 'upper_bound'
        else 'exact'
    end as registry_reclaimable_basis,
    tag_sizes.as_of
from tags
inner join tag_sizes
    on tags.namespace = tag_sizes.namespace
    and tags.repository = tag_sizes.repository
    and tags.tag = tag_sizes.tag
inner join judged on tags.repository_key = judged.repository_key
order by tags.tag_key;

comment on table reports.stale_tags is 'One row per stale live tag, with what it, all stale tags of its repository, and all stale tags would give back.';
comment on column reports.stale_tags.namespace is 'Namespace (organization).';
comment on column reports.stale_tags.repository is 'Repository name, with / where it has levels.';
comment on column reports.stale_tags.tag is 'Tag name.';
comment on column reports.stale_tags.manifest_digest is 'Digest of the manifest the tag points at.';
comment on column reports.stale_tags.subject_digest is 'Digest a signature, attestation or bill of materials belongs to, whose tags decide whether it is stale; null for all others.';
comment on column reports.stale_tags.created_at is 'When the tag was created, says the registry.';
comment on column reports.stale_tags.updated_at is 'When the tag was last pushed or moved, says the registry.';
comment on column reports.stale_tags.updated_age_days is 'Whole days of 24 hours from updated_at to as_of.';
comment on column reports.stale_tags.stale_days is 'Days without an update from which on a tag is stale, in the latest run.';
comment on column reports.stale_tags.logical_bytes is 'Bytes of the distinct stored blobs reachable from the tag; null when nothing is known.';
comment on column reports.stale_tags.size_basis is 'exact, lower_bound (parts of unknown size) or unknown, for logical_bytes.';
comment on column reports.stale_tags.reclaimable_bytes is 'What would be given back if only this tag were deleted.';
comment on column reports.stale_tags.reclaimable_basis is 'exact, lower_bound, upper_bound or unknown, for reclaimable_bytes.';
comment on column reports.stale_tags.repository_reclaimable_bytes is 'What would be given back if all stale tags of this repository were deleted together; the same in each of its rows.';
comment on column reports.stale_tags.repository_reclaimable_basis is 'exact, lower_bound, upper_bound or unknown, for repository_reclaimable_bytes.';
comment on column reports.stale_tags.registry_reclaimable_bytes is 'What would be given back if all stale tags of the registry were deleted together; the same in every row.';
comment on column reports.stale_tags.registry_reclaimable_basis is 'exact, lower_bound, upper_bound or unknown, for registry_reclaimable_bytes.';
comment on column reports.stale_tags.as_of is 'The moment this row describes: as_of of the latest run.';
