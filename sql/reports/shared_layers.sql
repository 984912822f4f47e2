-- One row per stored layer that several live tags reach, and how many use it. The same
-- layer twice in one image counts once.
create or replace table reports.shared_layers as
with
live_manifests as (
    select distinct manifest_key from intermediate.tagged_manifests
),

manifest_counts as (
    select contents.blob_key, count(*) as manifest_count
    from intermediate.manifest_blobs as contents
    inner join live_manifests on contents.root_key = live_manifests.manifest_key
    group by contents.blob_key
)

select
    run.registry,
    blobs.blob_digest,
    users.size_bytes,
    basis(users.size_bytes is not null, users.is_uncertain, false, false) as size_basis,
    users.tag_count,
    manifest_counts.manifest_count,
    users.repository_count,
    users.namespace_count,
    try_cast(cast(users.size_bytes as decimal(19, 0)) * (users.tag_count - 1) as bigint)
        as saved_bytes,
    run.as_of
from intermediate.blob_users as users
inner join intermediate.blob_keys as blobs on users.blob_key = blobs.blob_key
inner join manifest_counts on users.blob_key = manifest_counts.blob_key
cross join intermediate.latest_run as run
where users.is_layer and users.tag_count > 1
order by blobs.blob_digest;

comment on table reports.shared_layers is 'One row per stored layer that several live tags reach.';
comment on column reports.shared_layers.registry is 'Short name of the registry.';
comment on column reports.shared_layers.blob_digest is 'Digest of the layer.';
comment on column reports.shared_layers.size_bytes is 'Its size, the smallest any manifest states; null when none does.';
comment on column reports.shared_layers.size_basis is 'exact, lower_bound (manifests state different sizes) or unknown (none states any).';
comment on column reports.shared_layers.tag_count is 'Live tags that reach it.';
comment on column reports.shared_layers.manifest_count is 'Distinct manifests these tags point at.';
comment on column reports.shared_layers.repository_count is 'Repositories of these tags.';
comment on column reports.shared_layers.namespace_count is 'Namespaces of these tags.';
comment on column reports.shared_layers.saved_bytes is 'What sharing it saves: size_bytes for every tag but one; null beyond 2^63 - 1.';
comment on column reports.shared_layers.as_of is 'The moment this row describes: as_of of the latest run.';
