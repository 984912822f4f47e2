-- One row per repository ever listed or crawled.
insert into repositories by name
with named as (
    from staged_crawls select registry, namespace, repository
    union
    from staged_repositories select registry, namespace, repository
)

select
    registry,
    namespace,
    repository,
    0 as tag_count,
    getvariable('as_of') as first_seen_at,
    0 as unseen_tag_count,
from named
anti join repositories using (registry, namespace, repository)
order by registry, namespace, repository;

update repositories
set
    is_public = listed.is_public,
    api_size_bytes = listed.api_size_bytes,
    api_tag_count = listed.api_tag_count,
    download_count = listed.download_count,
    created_at = listed.created_at,
    updated_at = listed.updated_at,
    unlisted_since = null,
    deleted_detected_at = null
from staged_repositories as listed
where
    repositories.registry = listed.registry
    and repositories.namespace = listed.namespace
    and repositories.repository = listed.repository;

-- What the latest crawl says, whatever came of it.
update repositories
set
    crawl_status = crawls.status,
    crawl_cause = crawls.cause,
    crawl_error = crawls.error,
    unseen_tag_count = coalesce(unseen.tag_count, 0)
from staged_crawls as crawls
left join unseen using (registry, namespace, repository)
where
    repositories.registry = crawls.registry
    and repositories.namespace = crawls.namespace
    and repositories.repository = crawls.repository;

-- A repository that was read, or is gone, is no more merely unlisted.
update repositories
set
    unlisted_since = null,
    deleted_detected_at = if(
        closes_all(crawls.status),
        coalesce(repositories.deleted_detected_at, crawls.finished_at),
        null
    )
from staged_crawls as crawls
where
    repositories.registry = crawls.registry
    and repositories.namespace = crawls.namespace
    and repositories.repository = crawls.repository
    and crawls.status <> 'failed';

-- Complete lists that should show a repository do not, and nothing else was heard of it.
-- A namespace that is not visible any more has no list that could be short of it.
create or replace temp table unlisted as
with
short_lists as (
    select
        registry,
        namespace,
    from staged_namespaces
    where list_status <> 'complete'
),

heard_of as (
    select
        registry,
        namespace,
        repository,
    from staged_crawls
    where status <> 'failed'
)

select
    registry,
    namespace,
    repository,
from repositories
anti join staged_repositories using (registry, namespace, repository)
anti join short_lists using (registry, namespace)
anti join heard_of using (registry, namespace, repository)
where
    registry = getvariable('registry')
    and deleted_detected_at is null
    -- One that forgets lists nothing.
    and (select mode from staged_run) <> 'forget';

update repositories
set unlisted_since = coalesce(unlisted_since, getvariable('as_of'))
from unlisted
where
    repositories.registry = unlisted.registry
    and repositories.namespace = unlisted.namespace
    and repositories.repository = unlisted.repository;

-- What proves a repository. Of one that is gone nothing is proven any more: made anew
-- under its name it is unread.
update repositories
set
    last_seen_at = if(
        closes_all(crawls.status), repositories.last_seen_at, getvariable('as_of')
    ),
    read_at = if(closes_all(crawls.status), null, getvariable('as_of'))
from staged_crawls as crawls
where
    repositories.registry = crawls.registry
    and repositories.namespace = crawls.namespace
    and repositories.repository = crawls.repository
    and (crawls.status in ('complete', 'unchanged') or closes_all(crawls.status));

-- One that was made anew is as young as this run, and has another id. Otherwise an id
-- once known stays: once all records are read, those of another one show that it was
-- made anew.
update repositories
set
    repo_id = null,
    first_seen_at = getvariable('as_of')
from planned_crawls as crawls
where
    repositories.registry = crawls.registry
    and repositories.namespace = crawls.namespace
    and repositories.repository = crawls.repository
    and crawls.is_new;

create or replace temp table counted as
select
    registry,
    namespace,
    repository,
    count(tags.tag) as tag_count,
    arg_max(nullif(tags.repo_id, 0), tags.updated_at) as repo_id,
from planned_crawls
left join tags using (registry, namespace, repository)
group by all;

update repositories
set
    tag_count = counted.tag_count,
    repo_id = coalesce(nullif(repositories.repo_id, 0), counted.repo_id)
from counted
where
    repositories.registry = counted.registry
    and repositories.namespace = counted.namespace
    and repositories.repository = counted.repository;
