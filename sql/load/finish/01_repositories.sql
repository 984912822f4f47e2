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
