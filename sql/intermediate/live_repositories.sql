-- One row per live repository, numbered in name order, and how its latest crawl went.
-- One that has tags is listed even if its own row is missing: no byte may drop out.
create or replace table intermediate.live_repositories as
with names as (
    select registry, namespace, repository
    from main.repositories
    where deleted_detected_at is null
    union
    select registry, namespace, repository from main.tags
)

select
    cast(
        row_number() over (
            order by names.registry, names.namespace, names.repository
        ) as integer
    ) as repository_key,
    cast(dense_rank() over (order by names.registry, names.namespace) as integer)
        as namespace_key,
    names.registry,
    names.namespace,
    names.repository,
    repositories.first_seen_at,
    repositories.read_at,
    repositories.unlisted_since,
    repositories.unseen_tag_count,
    repositories.crawl_status,
    repositories.crawl_cause,
    repositories.crawl_error,
    coalesce(repositories.crawl_status in ('complete', 'unchanged'), false)
        as is_complete
from names
left join main.repositories
    on names.registry = repositories.registry
    and names.namespace = repositories.namespace
    and names.repository = repositories.repository;
