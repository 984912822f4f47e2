-- One row per live tag: the bytes of the distinct stored blobs reachable from it, and
-- what would be given back if this tag alone were deleted. docs/sizes.md defines them.
create or replace table reports.tag_sizes as
with
tags as (select * from live_tags),
sizes as (select * from manifest_sizes),
manifests as (select * from manifest_keys),
tagged as (select * from tagged_manifests),
reading as (select * from reading),

described as (
    select
        sizes.*,
        manifests.manifest_digest,
        manifests.manifest_kind
    from sizes
    inner join manifests on sizes.manifest_key = manifests.manifest_key
),

judged as (
    select
        tags.*,
        described.manifest_digest,
        described.manifest_kind,
        described.logical_bytes,
        described.exclusive_bytes,
        described.size_basis,
        described.is_exclusive_uncertain,
        not reading.is_crawled
            or reading.unread_tag_count > case when described.has_unread then 1 else 0 end
            as is_unread_elsewhere,
        tagged.tag_count as tags_on_same_digest,
        reading.as_of
    from tags
    inner join described on tags.manifest_key = described.manifest_key
    inner join tagged
        on tags.repository_key = tagged.repository_key
        and tags.manifest_key = tagged.manifest_key
    cross join reading
)

select
    namespace,
    repository,
    tag,
    manifest_digest,
    manifest_kind,
    logical_bytes,
    exclusive_bytes,
    exclusive_bytes as reclaimable_bytes,
    logical_bytes - exclusive_bytes as shared_bytes,
    tags_on_same_digest,
    size_basis,
    case
        when size_basis = 'unknown' then 'unknown'
        when is_exclusive_uncertain and is_unread_elsewhere then 'unknown'
        when is_exclusive_uncertain then 'lower_bound'
        when is_unread_elsewhere then 'upper_bound'
        else 'exact'
    end as reclaimable_basis,
    updated_at,
    as_of
from judged
order by tag_key;

comment on table reports.tag_sizes is 'One row per live tag: its bytes, and what deleting it alone would give back.';
comment on column reports.tag_sizes.namespace is 'Namespace (organization).';
comment on column reports.tag_sizes.repository is 'Repository name, with / where it has levels.';
comment on column reports.tag_sizes.tag is 'Tag name.';
comment on column reports.tag_sizes.manifest_digest is 'Digest of the manifest the tag points at.';
comment on column reports.tag_sizes.manifest_kind is 'Kind of that manifest: image, index, schema1, artifact, unknown or invalid.';
comment on column reports.tag_sizes.logical_bytes is 'Bytes of the distinct stored configurations and layers reachable from the tag, through indexes to any depth; null when nothing is known.';
comment on column reports.tag_sizes.exclusive_bytes is 'The part of logical_bytes no other live tag reaches.';
comment on column reports.tag_sizes.reclaimable_bytes is 'What would be given back if only this tag were deleted: its exclusive_bytes.';
comment on column reports.tag_sizes.shared_bytes is 'The part of logical_bytes other live tags reach too.';
comment on column reports.tag_sizes.tags_on_same_digest is 'Live tags of this repository on the same digest, this one included; alone, none of several gives anything back.';
comment on column reports.tag_sizes.size_basis is 'exact, lower_bound (parts of unknown size) or unknown, for logical_bytes.';
comment on column reports.tag_sizes.reclaimable_basis is 'exact, lower_bound (parts of unknown size), upper_bound (something unread may use the same blobs) or unknown (both), for exclusive_bytes and reclaimable_bytes.';
comment on column reports.tag_sizes.updated_at is 'When the tag was last pushed or moved, says the registry.';
comment on column reports.tag_sizes.as_of is 'The moment this row describes: as_of of the latest run.';
