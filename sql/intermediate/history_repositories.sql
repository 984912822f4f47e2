-- One row per repository that is live or had tags before or after a new run, numbered in
-- name order. repository_key is null where it is not live any more.
create or replace table intermediate.history_repositories as
with names as (
    select registry, namespace, repository from intermediate.history_runs
    union
    select registry, namespace, repository from intermediate.live_repositories
)

select
    cast(
        row_number() over (
            order by names.registry, names.namespace, names.repository
        ) as integer
    ) as place,
    cast(dense_rank() over (order by names.registry, names.namespace) as integer)
        as namespace_place,
    names.registry,
    names.namespace,
    names.repository,
    repos.repository_key
from names
left join intermediate.live_repositories as repos
    on names.registry = repos.registry
    and names.namespace = repos.namespace
    and names.repository = repos.repository;
