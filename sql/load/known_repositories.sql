-- Repositories held for alive, how the last reading that did not fail ended, and what is
-- known of their records: live tags and counted ones, each key once.
with records as (
    select
        namespace,
        repository,
        record_key,
        updated_at,
    from ingest.counted_records
    union all
    select
        tags.namespace,
        tags.repository,
        tags.tag as record_key,
        tags.updated_at,
    from tags
    anti join ingest.counted_records as counted
        on
        tags.registry = counted.registry
        and tags.namespace = counted.namespace
        and tags.repository = counted.repository
        and tags.tag = counted.record_key
),

decisive as (
    select
        namespace,
        repository,
        arg_max(status, finished_at) as status,
        max(finished_at) as finished_at,
    from ingest.crawls
    where status <> 'failed'
    group by all
),

newest as (
    select
        namespace,
        repository,
        max(updated_at) as updated_at,
    from records
    group by all
),

counts as (
    select
        newest.namespace,
        newest.repository,
        newest.updated_at as newest_updated_at,
        count(*) as record_count,
        count(*) filter (
            where
            date_trunc('second', records.updated_at)
            = date_trunc('second', newest.updated_at)
        ) as tied_at_newest,
    from records
    inner join newest
        on
        records.namespace = newest.namespace
        and records.repository = newest.repository
    group by all
),

-- A record without a date, or dated after it was read, may stay on top of the list: what
-- changed since would not be among the newest.
misdated as (
    select distinct
        records.namespace,
        records.repository,
    from records
    inner join decisive using (namespace, repository)
    where
        records.updated_at is null
        or records.updated_at > decisive.finished_at + interval 1 minute
),

final as (
    select
        repositories.namespace,
        repositories.repository,
        decisive.status,
        coalesce(counts.record_count, 0) as record_count,
        counts.newest_updated_at,
        coalesce(counts.tied_at_newest, 0) as tied_at_newest,
        misdated.repository is not null as is_misdated,
    from repositories
    left join decisive
        on
        repositories.namespace = decisive.namespace
        and repositories.repository = decisive.repository
    left join counts
        on
        repositories.namespace = counts.namespace
        and repositories.repository = counts.repository
    left join misdated
        on
        repositories.namespace = misdated.namespace
        and repositories.repository = misdated.repository
    where repositories.deleted_detected_at is null
)

select *
from final
order by namespace, repository
