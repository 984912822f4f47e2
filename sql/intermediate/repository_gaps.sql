-- One row per thing that keeps the figures of a live repository from being exact, apart
-- from its manifests and blobs. is_unread: it may hold more. is_in_doubt: it may hold more
-- or less. tag: the tag whose record was rejected.
create or replace temp table repository_gaps as
with
-- One that failed stands as the reading before left it.
earlier as (
    select
        repos.repository_key,
        crawls.status,
        crawls.cause,
        crawls.error,
        crawls.unseen_tag_count,
        row_number() over (
            partition by repos.repository_key
            order by crawls.finished_at desc, crawls.run_id desc
        ) as from_last
    from live_repositories as repos
    inner join ingest.crawls
        on repos.registry = crawls.registry
        and repos.namespace = crawls.namespace
        and repos.repository = crawls.repository
    where repos.crawl_status = 'failed' and crawls.status <> 'failed'
),

readings as (
    select
        repository_key,
        crawl_status as status,
        crawl_cause as cause,
        crawl_error as error,
        unseen_tag_count
    from live_repositories
    where crawl_status <> 'failed'
    union all
    select repository_key, status, cause, error, unseen_tag_count
    from earlier
    where from_last = 1
),

incomplete as (
    select
        repository_key,
        coalesce(cause, 'repository_incomplete') as kind,
        coalesce(error, 'no reason recorded') as detail,
        coalesce(unseen_tag_count, 0) as unseen_tag_count
    from readings
    where status = 'incomplete'
),

rejected as (
    select
        repos.repository_key,
        counted.record_key,
        tags.tag
    from ingest.counted_records as counted
    inner join live_repositories as repos
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
    incomplete.repository_key,
    incomplete.kind,
    cast(null as varchar) as tag,
    incomplete.detail,
    coalesce(repos.read_at, repos.first_seen_at) as since,
    true as is_unread,
    incomplete.unseen_tag_count > 0 as is_in_doubt
from incomplete
inner join live_repositories as repos on incomplete.repository_key = repos.repository_key
union all
select
    repos.repository_key,
    'repository_never_read' as kind,
    null as tag,
    coalesce(repos.crawl_error, 'no run has asked for its tags') as detail,
    repos.first_seen_at as since,
    true as is_unread,
    false as is_in_doubt
from live_repositories as repos
left join incomplete on repos.repository_key = incomplete.repository_key
where repos.read_at is null and incomplete.repository_key is null
union all
select
    repos.repository_key,
    'repository_too_old' as kind,
    null as tag,
    'last proven ' || (epoch_us(run.as_of) - epoch_us(repos.read_at)) // 3600000000
    || ' hours before' as detail,
    repos.read_at as since,
    false as is_unread,
    true as is_in_doubt
from live_repositories as repos
cross join latest_run as run
where
    epoch_us(run.as_of) - epoch_us(repos.read_at)
    > run.exact_hours * 3600000000
union all
select
    repository_key,
    'repository_not_confirmed' as kind,
    null as tag,
    'the list of repositories does not show it any more' as detail,
    unlisted_since as since,
    false as is_unread,
    true as is_in_doubt
from live_repositories
where unlisted_since is not null
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
