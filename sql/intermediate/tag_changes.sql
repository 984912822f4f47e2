-- One row per change of a tag a run saw: created, moved, deleted or restored, with the
-- bytes it orphaned: blobs reachable before that run and not after, each divided equally
-- among the namespaces, then repositories, then tags of that run whose old manifest
-- reached it. Whole bytes, the remainder one each in name order.
create or replace temp table tag_changes as
with
history as (select * from history_runs),
unread_runs as (select * from unread_runs),
sizes as (select * from manifest_sizes),
contents as (select * from manifest_blobs),
blobs as (select * from stored_blobs),

orphans as (
    select blob_key, run_key, size_bytes
    from blob_changes
    where (was_live or was_found) and not is_live
),

endings as (
    select events.interval_key, events.from_run_key as run_key, previous.manifest_key
    from history as events
    inner join history as previous
        on events.namespace = previous.namespace
        and events.repository = previous.repository
        and events.tag = previous.tag
        and events.valid_from = previous.valid_to
    where events.change in ('moved', 'deleted')
),

pairs as (
    select endings.interval_key, orphans.blob_key, orphans.run_key, orphans.size_bytes
    from endings
    inner join contents
        on endings.manifest_key = contents.root_key
        and endings.run_key >= contents.since_run_key
    inner join orphans
        on contents.blob_key = orphans.blob_key
        and endings.run_key = orphans.run_key
),

-- Hardly any blob is orphaned by several events of one run: only those are divided.
contested as (
    select run_key, blob_key
    from pairs
    group by run_key, blob_key
    having count(*) > 1
),

undivided as (
    select pairs.interval_key, pairs.blob_key, pairs.size_bytes
    from pairs
    left join contested
        on pairs.run_key = contested.run_key
        and pairs.blob_key = contested.blob_key
    where contested.run_key is null
),

ranked as (
    select
        pairs.*,
        events.namespace,
        events.repository,
        dense_rank() over (
            partition by pairs.run_key, pairs.blob_key
            order by events.namespace
        ) as namespace_rank,
        dense_rank() over (
            partition by pairs.run_key, pairs.blob_key, events.namespace
            order by events.repository
        ) as repository_rank,
        row_number() over (
            partition by
                pairs.run_key, pairs.blob_key, events.namespace, events.repository
            order by events.tag, events.valid_from
        ) as tag_rank
    from pairs
    inner join contested
        on pairs.run_key = contested.run_key
        and pairs.blob_key = contested.blob_key
    inner join history as events on pairs.interval_key = events.interval_key
),

counted as (
    select
        *,
        max(namespace_rank) over (partition by run_key, blob_key) as namespace_count,
        max(repository_rank) over (partition by run_key, blob_key, namespace)
            as repository_count,
        max(tag_rank) over (partition by run_key, blob_key, namespace, repository)
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

shares as (
    select interval_key, blob_key, size_bytes, size_bytes as tag_bytes
    from undivided
    union all
    select interval_key, blob_key, size_bytes, tag_bytes
    from tag_shares
),

orphaned as (
    select
        shares.interval_key,
        cast(sum(shares.tag_bytes) as bigint) as orphaned_bytes,
        bool_or(shares.size_bytes is null or blobs.is_uncertain) as is_uncertain
    from shares
    inner join blobs on shares.blob_key = blobs.blob_key
    group by shares.interval_key
),

ended as (
    select
        endings.interval_key,
        endings.manifest_key,
        sizes.size_basis,
        coalesce(orphaned.orphaned_bytes, 0) as orphaned_bytes,
        coalesce(orphaned.is_uncertain, false)
            or sizes.has_schema1
            or coalesce(sizes.read_run_key > endings.run_key, true) as is_uncertain,
        unread_runs.run_key is not null as is_unread
    from endings
    inner join sizes on endings.manifest_key = sizes.manifest_key
    left join orphaned on endings.interval_key = orphaned.interval_key
    left join unread_runs on endings.run_key = unread_runs.run_key
)

select
    events.namespace,
    events.repository,
    events.tag,
    events.change,
    ended.manifest_key as previous_key,
    events.manifest_key,
    events.valid_from,
    events.valid_from_earliest,
    events.from_run_key as run_key,
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
left join ended on events.interval_key = ended.interval_key;
