-- One row per repository ever listed or crawled.
insert into repositories by name
with named as (
    from staged_crawls select namespace, repository
    union
    from staged_repositories select namespace, repository
)

select
    namespace,
    repository,
    0 as tag_count,
    getvariable('as_of') as first_seen_at,
from named
anti join repositories using (namespace, repository)
order by namespace, repository;

update repositories
set
    is_public = listed.is_public,
    api_size_bytes = listed.api_size_bytes,
    api_tag_count = listed.api_tag_count,
    download_count = listed.download_count,
    created_at = listed.created_at,
    updated_at = listed.updated_at,
    deleted_detected_at = null
from staged_repositories as listed
where
    repositories.namespace = listed.namespace
    and repositories.repository = listed.repository;

update repositories
set last_seen_at = getvariable('as_of')
from staged_crawls as crawls
where
    repositories.namespace = crawls.namespace
    and repositories.repository = crawls.repository
    and crawls.status in ('complete', 'unchanged');

update repositories
set
    deleted_detected_at = if(
        crawls.status = 'missing',
        coalesce(repositories.deleted_detected_at, crawls.finished_at),
        null
    )
from staged_crawls as crawls
where
    repositories.namespace = crawls.namespace
    and repositories.repository = crawls.repository
    and crawls.status <> 'failed';

update repositories
set
    tag_count = counted.tag_count,
    repo_id = coalesce(counted.repo_id, repositories.repo_id)
from (
    select
        planned_crawls.namespace,
        planned_crawls.repository,
        count(tags.tag) as tag_count,
        arg_max(tags.repo_id, tags.updated_at) as repo_id,
    from planned_crawls
    left join tags
        on planned_crawls.namespace = tags.namespace
        and planned_crawls.repository = tags.repository
    group by all
) as counted
where
    repositories.namespace = counted.namespace
    and repositories.repository = counted.repository;
