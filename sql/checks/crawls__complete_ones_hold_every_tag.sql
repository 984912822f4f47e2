-- warn
-- A repository that the latest run read completely holds as many records as the registry
-- said: live tags, and records that count but are no tags. This only warns, for a rejected
-- record without a readable name may stand for a tag that is there already.
with
latest as (
    select run_id
    from ingest.runs
    order by as_of desc, run_id desc
    limit 1
),

crawled as (
    select crawls.*
    from ingest.crawls
    inner join latest on crawls.run_id = latest.run_id
    where crawls.status in ('complete', 'unchanged') and crawls.expected is not null
),

records as (
    select registry, namespace, repository from main.tags
    union all
    select counted.registry, counted.namespace, counted.repository
    from ingest.counted_records as counted
    left join main.tags
        on counted.registry = tags.registry
        and counted.namespace = tags.namespace
        and counted.repository = tags.repository
        and counted.record_key = tags.tag
        and counted.reason = 'rejected'
    where tags.tag is null
),

held as (
    select registry, namespace, repository, count(*) as record_count
    from records
    group by registry, namespace, repository
)

select
    crawled.registry,
    crawled.namespace,
    crawled.repository,
    crawled.status,
    crawled.expected,
    coalesce(held.record_count, 0) as record_count
from crawled
left join held
    on crawled.registry = held.registry
    and crawled.namespace = held.namespace
    and crawled.repository = held.repository
where coalesce(held.record_count, 0) <> crawled.expected;
