-- One row per cluster and reference that containers of its latest snapshot run, with a
-- digest that no live tag has: neither itself, nor by an index, nor as configuration.
create or replace table reports.running_untagged as
with
running as (
    select
        snapshots.cluster,
        snapshots.taken_at,
        kept.reference,
        min(coalesce(kept.image, kept.image_id)) as image,
        cast(sum(kept.container_count) as bigint) as container_count
    from intermediate.kept_references as kept
    inner join intermediate.used_snapshots as snapshots
        on kept.snapshot_id = snapshots.snapshot_id and snapshots.is_latest
    where kept.container_count > 0
    group by snapshots.cluster, snapshots.taken_at, kept.reference
),

held as (
    select distinct reference from intermediate.reference_matches where way < 7
),

digests as (
    select distinct reference from intermediate.reference_digests
),

places as (
    select
        reference,
        registry,
        namespace,
        repository,
        row_number() over (
            partition by reference
            order by is_image desc, registry, namespace, repository
        ) as place
    from intermediate.reference_places
)

select
    coalesce(places.registry, ended.registry) as registry,
    running.cluster,
    coalesce(places.namespace, ended.namespace) as namespace,
    coalesce(places.repository, ended.repository) as repository,
    coalesce(used.id_digest, used.digest) as running_digest,
    running.image,
    running.container_count,
    running.taken_at as seen_at,
    case
        when ended.reference is not null
            then ended.namespace || '/' || ended.repository || ':' || ended.tag
    end as left_tag,
    ended.left_at,
    run.as_of
from running
inner join digests on running.reference = digests.reference
inner join intermediate.used_references as used on running.reference = used.reference
cross join intermediate.latest_run as run
left join held on running.reference = held.reference
left join places on running.reference = places.reference and places.place = 1
left join intermediate.left_matches as ended
    on running.reference = ended.reference
where
    held.reference is null
    and (places.reference is not null or ended.reference is not null)
order by running.cluster, running.reference;

comment on table reports.running_untagged is 'One row per cluster and reference that containers of its latest snapshot run, with a digest that no live tag has: a new node may not get it any more.';
comment on column reports.running_untagged.registry is 'Short name of the registry.';
comment on column reports.running_untagged.cluster is 'The cluster.';
comment on column reports.running_untagged.namespace is 'Namespace (organization) that the reference names; that of the tag which left the digest where it names none.';
comment on column reports.running_untagged.repository is 'Repository, likewise.';
comment on column reports.running_untagged.running_digest is 'What runs, as the runtime says: a manifest, an index or a configuration; else the digest that the reference asks for.';
comment on column reports.running_untagged.image is 'The reference as written.';
comment on column reports.running_untagged.container_count is 'Containers that run it.';
comment on column reports.running_untagged.seen_at is 'When the snapshot was taken.';
comment on column reports.running_untagged.left_tag is 'The tag that pointed at it last, as far as runs saw; null where none ever did.';
comment on column reports.running_untagged.left_at is 'When a crawl saw that it does no longer.';
comment on column reports.running_untagged.as_of is 'The moment the live tags are of: as_of of the latest run.';
