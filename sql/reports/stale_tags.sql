-- One row per stale live tag: not updated for the run's stale_days. Signatures,
-- attestations, SBOMs and their like follow their subject instead: stale when every live
-- tag that reaches it is; where none does they go by their own age. Deleting all stale
-- tags together gives back more than the sum of deleting each alone.
create or replace table reports.stale_tags as
select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    sizes.manifest_digest,
    tags.subject_digest,
    tags.created_at,
    tags.updated_at,
    tags.pulled_at,
    tags.updated_age_days,
    run.stale_days,
    sizes.logical_bytes,
    sizes.size_basis,
    sizes.exclusive_bytes as reclaimable_bytes,
    sizes.exclusive_basis as reclaimable_basis,
    in_repository.exclusive_bytes as repository_reclaimable_bytes,
    in_repository.exclusive_basis as repository_reclaimable_basis,
    in_registry.exclusive_bytes as registry_reclaimable_bytes,
    in_registry.exclusive_basis as registry_reclaimable_basis,
    run.as_of
from intermediate.live_tags as tags
inner join intermediate.judged_manifests as sizes
    on tags.manifest_key = sizes.manifest_key
inner join intermediate.set_sizes as in_repository
    on in_repository.scope = 'repository'
    and tags.repository_key = in_repository.scope_key
    and in_repository.choice = 'stale'
inner join intermediate.set_sizes as in_registry
    on in_registry.scope = 'registry' and in_registry.choice = 'stale'
cross join intermediate.latest_run as run
where tags.is_stale
order by tags.tag_key;

comment on table reports.stale_tags is 'One row per stale live tag, with what it, all stale tags of its repository, and all stale tags would give back.';
comment on column reports.stale_tags.registry is 'Short name of the registry.';
comment on column reports.stale_tags.namespace is 'Namespace (organization).';
comment on column reports.stale_tags.repository is 'Repository name, with / where it has levels.';
comment on column reports.stale_tags.tag is 'Tag name.';
comment on column reports.stale_tags.manifest_digest is 'Digest of the manifest the tag points at.';
comment on column reports.stale_tags.subject_digest is 'Digest that a signature, attestation, SBOM or the like follows, whose tags decide whether it is stale; null for all others.';
comment on column reports.stale_tags.created_at is 'When the tag was created, according to the registry.';
comment on column reports.stale_tags.updated_at is 'When the tag was last pushed or moved, according to the registry.';
comment on column reports.stale_tags.pulled_at is 'When the tag was last pulled; null where that never was, is no date, or nothing says: only instances of the enterprise edition do.';
comment on column reports.stale_tags.updated_age_days is 'Whole days of 24 hours from updated_at to as_of.';
comment on column reports.stale_tags.stale_days is 'Days without an update from which on a tag is stale, in the latest run.';
comment on column reports.stale_tags.logical_bytes is 'Bytes of the distinct stored blobs reachable from the tag; null when nothing is known.';
comment on column reports.stale_tags.size_basis is 'exact, lower_bound (parts of unknown size) or unknown, for logical_bytes.';
comment on column reports.stale_tags.reclaimable_bytes is 'What would be given back if only this tag were deleted.';
comment on column reports.stale_tags.reclaimable_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for reclaimable_bytes.';
comment on column reports.stale_tags.repository_reclaimable_bytes is 'What would be given back if all stale tags of this repository were deleted together; the same in each of its rows.';
comment on column reports.stale_tags.repository_reclaimable_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for repository_reclaimable_bytes.';
comment on column reports.stale_tags.registry_reclaimable_bytes is 'What would be given back if all stale tags of the registry were deleted together; the same in every row.';
comment on column reports.stale_tags.registry_reclaimable_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for registry_reclaimable_bytes.';
comment on column reports.stale_tags.as_of is 'The moment this row describes: as_of of the latest run.';
