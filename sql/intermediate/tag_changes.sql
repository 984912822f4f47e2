-- One row per change of a tag that a new run saw: created, moved, deleted, restored or
-- forgotten, with the bytes it orphaned: of blobs reachable before that run and not after
-- it. Each is divided equally among the namespaces, then repositories, then tags of that
-- run whose old manifest reached it, in name order.
create or replace table intermediate.tag_changes as
with
orphans as (
    select blob_key, run_key, size_bytes, is_uncertain
    from intermediate.blob_changes
    where (was_live or was_found) and not is_live
),

endings as (
    select events.interval_key, events.from_run_key as run_key, previous.manifest_key
    from intermediate.history_runs as events
    inner join intermediate.history_runs as previous
        on events.registry = previous.registry
        and events.namespace = previous.namespace
        and events.repository = previous.repository
        and events.tag = previous.tag
        and events.valid_from = previous.valid_to
        and previous.manifest_key is not null
    cross join intermediate.new_history as new
    where
        events.change in ('moved', 'deleted', 'forgotten')
        and events.from_run_key >= new.first_run_key
),

pairs as (
    select
        endings.interval_key,
        orphans.blob_key,
        orphans.run_key,
        orphans.size_bytes,
        orphans.is_uncertain
    from endings
    inner join intermediate.manifest_blobs as contents
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
    select pairs.interval_key, pairs.size_bytes, pairs.is_uncertain
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
    inner join intermediate.history_runs as events
        on pairs.interval_key = events.interval_key
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

shares as (
    select interval_key, is_uncertain, size_bytes as tag_bytes
    from undivided
    union all
    select
        interval_key,
        is_uncertain,
        equal_share(
            equal_share(
                equal_share(size_bytes, namespace_count, namespace_rank),
                repository_count,
                repository_rank
            ),
            tag_count,
            tag_rank
        ) as tag_bytes
    from counted
),

-- What was not known before a run or after it, as these runs told it.
judged_runs as (
    select
        reading.run_key,
        reading.unread_before_count,
        reading.unread_after_count,
        growth.has_unread or lag(growth.has_unread, 1, false) over runs as has_unread,
        growth.is_in_doubt or lag(growth.is_in_doubt, 1, false) over runs as is_in_doubt
    from intermediate.run_reading as reading
    inner join intermediate.run_numbers as runs on reading.run_key = runs.run_key
    inner join reports.daily_growth as growth on runs.run_id = growth.run_id
    window runs as (order by reading.run_key)
),

orphaned as (
    select
        interval_key,
        try_cast(coalesce(sum(tag_bytes), 0) as bigint) as orphaned_bytes,
        bool_or(is_uncertain) as is_uncertain
    from shares
    group by interval_key
),

ended as (
    select
        endings.interval_key,
        endings.manifest_key,
        case when orphaned.interval_key is null then 0 else orphaned.orphaned_bytes end
            as orphaned_bytes,
        coalesce(sizes.read_run_key > endings.run_key, true) as is_unread,
        sizes.is_known
        and (
            coalesce(sizes.sized_run_key <= endings.run_key, false)
            or not (
                is_unread
                or sizes.has_unsized
                or coalesce(sizes.any_run_key <= endings.run_key, false)
            )
        )
        and (orphaned.interval_key is null or orphaned.orphaned_bytes is not null)
            as is_known,
        coalesce(orphaned.is_uncertain, false)
        or sizes.has_unsized
        or is_unread as is_uncertain,
        runs.has_unread
        or runs.unread_after_count > 0
        or runs.unread_before_count > cast(is_unread as integer) as is_unread_elsewhere,
        runs.is_in_doubt
    from endings
    inner join intermediate.manifest_sizes as sizes
        on endings.manifest_key = sizes.manifest_key
    left join orphaned on endings.interval_key = orphaned.interval_key
    left join judged_runs as runs on endings.run_key = runs.run_key
)

select
    events.registry,
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
        when ended.is_known then ended.orphaned_bytes
    end as orphaned_bytes,
    case
        when events.change in ('created', 'restored') then 'exact'
        else
            basis(
                coalesce(ended.is_known, false),
                ended.is_uncertain,
                ended.is_unread_elsewhere,
                ended.is_in_doubt
            )
    end as orphaned_basis
from intermediate.history_runs as events
cross join intermediate.new_history as new
left join ended on events.interval_key = ended.interval_key
where events.from_run_key >= new.first_run_key;
