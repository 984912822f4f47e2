-- One row per live repository of which something is unread or in doubt, apart from its
-- manifests and blobs, and one per rejected record. is_unread: it may hold more.
-- is_in_doubt: it may hold more or less. tag: the one whose record was rejected.
create or replace table intermediate.repository_gaps as
with
-- A crawl that failed has read nothing: what the one before it left stands.
crawls as (
    select
        repos.repository_key,
        crawls.status,
        crawls.cause,
        crawls.error,
        crawls.unseen_tag_count,
        runs.as_of,
        row_number() over (partition by repos.repository_key order by runs.run_key desc)
            as from_last
    from intermediate.live_repositories as repos
    inner join ingest.crawls
        on repos.registry = crawls.registry
        and repos.namespace = crawls.namespace
        and repos.repository = crawls.repository
    inner join intermediate.run_numbers as runs on crawls.run_id = runs.run_id
    where repos.crawl_status in ('failed', 'incomplete') and crawls.status <> 'failed'
),

judged as (
    select
        repos.repository_key,
        repos.first_seen_at,
        repos.read_at,
        repos.unlisted_since,
        repos.crawl_error,
        crawls.cause,
        crawls.error,
        coalesce(crawls.status = 'incomplete', false) as is_incomplete,
        coalesce(crawls.unseen_tag_count > 0, false) as has_unseen,
        coalesce(
            repos.read_at, case when crawls.status = 'incomplete' then crawls.as_of end
        ) as standing_since
    from intermediate.live_repositories as repos
    left join crawls
        on repos.repository_key = crawls.repository_key and crawls.from_last = 1
),

aged as (
    select
        judged.*,
        coalesce(
            epoch_us(run.as_of) - epoch_us(judged.standing_since)
            > run.exact_hours * 3600000000,
            false
        ) as is_too_old,
        (epoch_us(run.as_of) - epoch_us(judged.standing_since)) // 3600000000
            as standing_hours
    from judged
    cross join intermediate.latest_run as run
),

named as (
    select
        *,
        case
            when unlisted_since is not null then 'repository_not_confirmed'
            when is_incomplete then coalesce(cause, 'repository_incomplete')
            when has_unseen then 'repository_incomplete'
            when read_at is null then 'repository_never_read'
            when is_too_old then 'repository_too_old'
        end as kind
    from aged
),

rejected as (
    select
        repos.repository_key,
        counted.record_key,
        tags.tag
    from ingest.counted_records as counted
    inner join intermediate.live_repositories as repos
        on counted.registry = repos.registry
        and counted.namespace = repos.namespace
        and counted.repository = repos.repository
    left join main.tags
        on counted.registry = tags.registry
        and counted.namespace = tags.namespace
        and counted.repository = tags.repository
        and counted.record_key = tags.tag
    where counted.reason = 'rejected'
)

select
    repository_key,
    kind,
    cast(null as varchar) as tag,
    case kind
        when 'repository_not_confirmed'
            then 'the list of repositories does not show it any more'
        when 'repository_never_read'
            then coalesce(crawl_error, 'no run has asked for its tags')
        when 'repository_too_old' then 'last proven ' || standing_hours || ' hours before'
        else coalesce(error, 'no reason recorded')
    end as detail,
    case kind
        when 'repository_not_confirmed' then unlisted_since
        when 'repository_never_read' then first_seen_at
        else read_at
    end as since,
    is_incomplete or read_at is null as is_unread,
    unlisted_since is not null or has_unseen or is_too_old as is_in_doubt
from named
where kind is not null
union all
select
    repository_key,
    'rejected_record' as kind,
    case when substring(record_key, 1, 1) <> '#' then record_key end as tag,
    case
        when tag is not null then 'the newest record of this tag could not be used'
        else 'record ' || record_key || ' could not be used'
    end as detail,
    null as since,
    true as is_unread,
    tag is not null as is_in_doubt
from rejected;
