-- One row per live tag: the bytes of the distinct stored blobs reachable from it, and
-- what would be given back if this tag alone were deleted. docs/sizes.md defines them.
create or replace table reports.tag_sizes as
select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    manifests.manifest_digest,
    manifests.manifest_kind,
    manifests.logical_bytes,
    manifests.exclusive_bytes,
    manifests.exclusive_bytes as reclaimable_bytes,
    manifests.logical_bytes - manifests.exclusive_bytes as shared_bytes,
    tagged.tag_count as tags_on_same_digest,
    manifests.size_basis,
    manifests.exclusive_basis,
    manifests.exclusive_basis as reclaimable_basis,
    tags.updated_at,
    run.as_of
from intermediate.live_tags as tags
inner join intermediate.judged_manifests as manifests
    on tags.manifest_key = manifests.manifest_key
inner join intermediate.tagged_manifests as tagged
    on tags.repository_key = tagged.repository_key
    and tags.manifest_key = tagged.manifest_key
cross join intermediate.latest_run as run
order by tags.tag_key;

comment on table reports.tag_sizes is 'One row per live tag: its bytes, and what deleting it alone would give back.';
comment on column reports.tag_sizes.registry is 'Short name of the registry.';
comment on column reports.tag_sizes.namespace is 'Namespace (organization).';
comment on column reports.tag_sizes.repository is 'Repository name, with / where it has levels.';
comment on column reports.tag_sizes.tag is 'Tag name.';
comment on column reports.tag_sizes.manifest_digest is 'Digest of the manifest the tag points at.';
comment on column reports.tag_sizes.manifest_kind is 'Kind of that manifest: image, index, schema1, artifact, cache, unknown or invalid.';
comment on column reports.tag_sizes.logical_bytes is 'Bytes of the distinct stored configurations and layers reachable from the tag, through indexes to any depth; null when nothing is known.';
comment on column reports.tag_sizes.exclusive_bytes is 'The part of logical_bytes no other live tag reaches.';
comment on column reports.tag_sizes.reclaimable_bytes is 'What would be given back if only this tag were deleted: its exclusive_bytes.';
comment on column reports.tag_sizes.shared_bytes is 'The part of logical_bytes other live tags reach too.';
comment on column reports.tag_sizes.tags_on_same_digest is 'Live tags of this repository on the same digest, this one included; alone, none of several gives anything back.';
comment on column reports.tag_sizes.size_basis is 'exact, lower_bound (parts of unknown size) or unknown, for logical_bytes.';
comment on column reports.tag_sizes.exclusive_basis is 'exact, lower_bound (something unread or of unknown size may add), upper_bound (something unread may use the same blobs), estimate (both, or something is in doubt) or unknown, for exclusive_bytes.';
comment on column reports.tag_sizes.reclaimable_basis is 'The same, for reclaimable_bytes.';
comment on column reports.tag_sizes.updated_at is 'When the tag was last pushed or moved, according to the registry.';
comment on column reports.tag_sizes.as_of is 'The moment this row describes: as_of of the latest run.';
