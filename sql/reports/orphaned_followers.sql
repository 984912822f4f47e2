-- One row per live tag that follows a subject which no live tag reaches any more: a
-- signature, attestation, SBOM or scan result of something that is gone. Deleting all of
-- them together gives back more than the sum of deleting each alone.
create or replace table reports.orphaned_followers as
select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    sizes.manifest_digest,
    tags.subject_digest,
    sizes.logical_bytes,
    sizes.size_basis,
    sizes.exclusive_bytes as reclaimable_bytes,
    sizes.exclusive_basis as reclaimable_basis,
    together.exclusive_bytes as together_reclaimable_bytes,
    together.exclusive_basis as together_reclaimable_basis,
    tags.updated_at,
    run.as_of
from intermediate.live_tags as tags
inner join intermediate.judged_manifests as sizes
    on tags.manifest_key = sizes.manifest_key
inner join intermediate.set_sizes as together
    on together.scope = 'registry' and together.choice = 'orphaned'
cross join intermediate.latest_run as run
where tags.is_orphaned
order by tags.tag_key;

comment on table reports.orphaned_followers is 'One row per live tag that follows a subject no live tag reaches any more, with what all of them would give back.';
comment on column reports.orphaned_followers.registry is 'Short name of the registry.';
comment on column reports.orphaned_followers.namespace is 'Namespace (organization).';
comment on column reports.orphaned_followers.repository is 'Repository name, with / where it has levels.';
comment on column reports.orphaned_followers.tag is 'Tag name.';
comment on column reports.orphaned_followers.manifest_digest is 'Digest of the manifest the tag points at.';
comment on column reports.orphaned_followers.subject_digest is 'Digest it follows; its first 64 hex digits where only these are known.';
comment on column reports.orphaned_followers.logical_bytes is 'Bytes of the distinct stored blobs reachable from the tag; null when nothing is known.';
comment on column reports.orphaned_followers.size_basis is 'exact, lower_bound or unknown, for logical_bytes.';
comment on column reports.orphaned_followers.reclaimable_bytes is 'What would be given back if only this tag were deleted.';
comment on column reports.orphaned_followers.reclaimable_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for reclaimable_bytes.';
comment on column reports.orphaned_followers.together_reclaimable_bytes is 'What would be given back if all orphaned followers of the registry were deleted together; the same in every row.';
comment on column reports.orphaned_followers.together_reclaimable_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for together_reclaimable_bytes.';
comment on column reports.orphaned_followers.updated_at is 'When the tag was last pushed or moved, according to the registry.';
comment on column reports.orphaned_followers.as_of is 'The moment this row describes: as_of of the latest run.';
