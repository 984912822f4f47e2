-- One row per live tag: whether it was seen in snapshots of what runs, and where. Nothing
-- of it says unused: a snapshot shows a moment and what it was made of.
create or replace table reports.tag_use as
with
looked as (
    select
        count(*) as snapshot_count,
        min(taken_at) as oldest_snapshot_at,
        max(taken_at) as newest_snapshot_at
    from intermediate.used_snapshots
),

uses as (
    select
        tag_key,
        min(way) as way,
        max(last_seen_at) as last_seen_at,
        string_agg(cluster, ', ' order by cluster) as clusters,
        count(*) as cluster_count,
        cast(sum(container_count) as bigint) as container_count
    from intermediate.tag_uses
    group by tag_key
)

select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    manifests.manifest_digest,
    case when looked.snapshot_count > 0 then uses.tag_key is not null end as is_seen,
    uses.last_seen_at,
    uses.clusters,
    case when looked.snapshot_count > 0 then coalesce(uses.cluster_count, 0) end
        as cluster_count,
    case when looked.snapshot_count > 0 then coalesce(uses.container_count, 0) end
        as container_count,
    matched_by(uses.way) as matched_by,
    looked.snapshot_count,
    looked.oldest_snapshot_at,
    looked.newest_snapshot_at,
    run.as_of
from intermediate.aged_tags as tags
inner join intermediate.manifest_keys as manifests
    on tags.manifest_key = manifests.manifest_key
cross join looked
cross join intermediate.latest_run as run
left join uses on tags.tag_key = uses.tag_key
order by tags.tag_key;

comment on table reports.tag_use is 'One row per live tag: whether it was seen in the snapshots of what runs that `swr-warehouse in-use` kept, taken SWR_IN_USE_DAYS before as_of or later. Not seen there is not unused.';
comment on column reports.tag_use.registry is 'Short name of the registry.';
comment on column reports.tag_use.namespace is 'Namespace (organization).';
comment on column reports.tag_use.repository is 'Repository name, with / where it has levels.';
comment on column reports.tag_use.tag is 'Tag name.';
comment on column reports.tag_use.manifest_digest is 'Digest the tag points at.';
comment on column reports.tag_use.is_seen is 'Whether it was seen in any of these snapshots; null where there is none.';
comment on column reports.tag_use.last_seen_at is 'When the latest snapshot was taken that shows it; null where none does.';
comment on column reports.tag_use.clusters is 'The clusters whose snapshots show it, separated by commas.';
comment on column reports.tag_use.cluster_count is 'How many these are; null where there is no snapshot.';
comment on column reports.tag_use.container_count is 'Containers that run it in the latest snapshot of each cluster; 0 where it is only named (by a controller) or held (by a node), or was seen earlier. Null where there is no snapshot.';
comment on column reports.tag_use.matched_by is 'What it was known by, the surest way first: digest (of the tag), child (of its index), config (digest of the configuration) or name (repository and tag).';
comment on column reports.tag_use.snapshot_count is 'How many snapshots count.';
comment on column reports.tag_use.oldest_snapshot_at is 'When the first of them was taken.';
comment on column reports.tag_use.newest_snapshot_at is 'When the last of them was.';
comment on column reports.tag_use.as_of is 'The moment this row describes: as_of of the latest run.';
