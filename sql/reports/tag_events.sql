-- One row per change of a tag a run saw: created, moved, deleted or restored, with the
-- bytes it orphaned: blobs reachable before that run and not after, each divided equally
-- among the namespaces, then repositories, then tags of that run whose old manifest
-- reached it. Whole bytes, the remainder one each in name order.
create or replace table reports.tag_events as
with
history as (select * from history_runs),
runs as (select * from run_numbers),
unread_runs as (select * from unread_runs),
manifests as (select * from manifest_keys),
sizes as (select * from manifest_sizes),
contents as (select * from manifest_blobs),
blobs as (select * from stored_blobs),

orphans as (
    select blob_key, run_key, size_bytes
    from blob_changes
    where (was_live or was_found) and not is_live
),

endings as (
    select
        dense_rank() over (order by events.namespace) as namespace_number,
        dense_rank() over (order by events.namespace, events.repository)
            as repository_number,
        row_number() over (
            order by events.namespace, events.repository, events.tag, events.valid_from
        ) as event_number,
        events.namespace,
        events.repository,
        events.tag,
        events.valid_from,
        events.from_run_key as run_key,
        previous.manifest_key
    from history as events
    inner join history as previous
        on events.namespace = previous.namespace
        and events.repository = previous.repository
        and events.tag = previous.tag
        and events.valid_from = previous.valid_to
    where events.change in ('moved', 'deleted')
),

ranked as (
    select
        endings.namespace_number,
        endings.repository_number,
        endings.event_number,
        orphans.blob_key,
        orphans.run_key,
        orphans.size_bytes,
        dense_rank() over (
            partition by orphans.run_key, orphans.blob_key
            order by endings.namespace_number
        ) as namespace_rank,
        dense_rank() over (
            partition by orphans.run_key, orphans.blob_key, endings.namespace_number
            order by endings.repository_number
        ) as repository_rank,
        row_number() over (
            partition by orphans.run_key, orphans.blob_key, endings.repository_number
            order by endings.event_number
        ) as tag_rank
    from endings
    inner join contents
        on endings.manifest_key = contents.root_key
        and endings.run_key >= contents.since_run_key
    inner join orphans
        on contents.blob_key = orphans.blob_key
        and endings.run_key = orphans.run_key
),

counted as (
    select
        *,
        max(namespace_rank) over (partition by run_key, blob_key) as namespace_count,
        max(repository_rank) over (partition by run_key, blob_key, namespace_number)
            as repository_count,
        max(tag_rank) over (partition by run_key, blob_key, repository_number)
            as tag_count
    from ranked
),

namespace_shares as (
    select
        *,
        cast((size_bytes - size_bytes % namespace_count) / namespace_count as bigint)
            + case when namespace_rank <= size_bytes % namespace_count then 1 else 0 end
            as namespace_bytes
    from counted
),

repository_shares as (
    select
        *,
        cast(
            (namespace_bytes - namespace_bytes % repository_count) / repository_count
            as bigint
        )
        + case
            when repository_rank <= namespace_bytes % repository_count then 1 else 0
        end as repository_bytes
    from namespace_shares
),

tag_shares as (
    select
        *,
        cast((repository_bytes - repository_bytes % tag_count) / tag_count as bigint)
            + case when tag_rank <= repository_bytes % tag_count then 1 else 0 end
            as tag_bytes
    from repository_shares
),

orphaned as (
    select
        tag_shares.event_number,
        cast(sum(tag_shares.tag_bytes) as bigint) as orphaned_bytes,
        bool_or(tag_shares.size_bytes is null or blobs.is_uncertain) as is_uncertain
    from tag_shares
    inner join blobs on tag_shares.blob_key = blobs.blob_key
    group by tag_shares.event_number
),

ended as (
    select
        endings.namespace,
        endings.repository,
        endings.tag,
        endings.valid_from,
        manifests.manifest_digest as previous_digest,
        sizes.size_basis,
        coalesce(orphaned.orphaned_bytes, 0) as orphaned_bytes,
        coalesce(orphaned.is_uncertain, false)
            or sizes.has_schema1
            or coalesce(sizes.read_run_key > endings.run_key, true) as is_uncertain,
        unread_runs.run_key is not null as is_unread
    from endings
    inner join sizes on endings.manifest_key = sizes.manifest_key
    inner join manifests on endings.manifest_key = manifests.manifest_key
    left join orphaned on endings.event_number = orphaned.event_number
    left join unread_runs on endings.run_key = unread_runs.run_key
)

select
    events.namespace,
    events.repository,
    events.tag,
    events.change,
    ended.previous_digest,
    manifests.manifest_digest,
    events.valid_from as detected_at,
    events.valid_from_earliest as earliest_at,
    runs.run_id,
    case
        when events.change in ('created', 'restored') then 0
        when ended.size_basis <> 'unknown' then ended.orphaned_bytes
    end as orphaned_bytes,
    case
        when events.change in ('created', 'restored') then 'exact'
        when coalesce(ended.size_basis, 'unknown') = 'unknown' then 'unknown'
        when ended.is_uncertain and ended.is_unread then 'unknown'
        when ended.is_uncertain then 'lower_bound'
        when ended.is_unread then 'upper_bound'
        else 'exact'
    end as orphaned_basis
from history as events
left join ended
    on events.namespace = ended.namespace
    and events.repository = ended.repository
    and events.tag = ended.tag
    and events.valid_from = ended.valid_from
left join manifests on events.manifest_key = manifests.manifest_key
left join runs on events.from_run_key = runs.run_key
order by
    events.valid_from,
    events.namespace,
    events.repository,
    events.tag,
    events.change,
    manifests.manifest_digest;

comment on table reports.tag_events is 'One row per change of a tag a run saw, with the bytes it orphaned.';
comment on column reports.tag_events.namespace is 'Namespace (organization).';
comment on column reports.tag_events.repository is 'Repository name, with / where it has levels.';
comment on column reports.tag_events.tag is 'Tag name.';
comment on column reports.tag_events.change is 'created, moved (to another digest), deleted or restored.';
comment on column reports.tag_events.previous_digest is 'Digest the tag pointed at before a move or a deletion.';
comment on column reports.tag_events.manifest_digest is 'Digest it points at since; null after a deletion.';
comment on column reports.tag_events.detected_at is 'When a crawl saw the change.';
comment on column reports.tag_events.earliest_at is 'The last complete crawl before, which did not see it: it happened between the two; null if there was none.';
comment on column reports.tag_events.run_id is 'The run that saw it.';
comment on column reports.tag_events.orphaned_bytes is 'Its share of the bytes live tags reached before the run and no longer after it; 0 for created and restored tags, null when nothing is known of the old manifest.';
comment on column reports.tag_events.orphaned_basis is 'exact, lower_bound (parts of unknown size), upper_bound (something unread may still use them) or unknown (both), for orphaned_bytes.';
