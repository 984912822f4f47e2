-- One row per live repository, numbered in name order, with its latest crawl.
-- One that has tags is listed even if its own row is missing: no byte may drop out.
create or replace temp table live_repositories as
with
names as (
    select namespace, repository
    from main.repositories
    where deleted_detected_at is null
    union
    select namespace, repository from main.tags
),

numbered_crawls as (
    select
        crawls.namespace,
        crawls.repository,
        crawls.status,
        crawls.error,
        runs.run_key
    from ingest.crawls
    inner join run_numbers as runs on crawls.run_id = runs.run_id
),

latest as (
    select namespace, repository, max(run_key) as run_key
    from numbered_crawls
    group by namespace, repository
),

statuses as (
    select
        latest.namespace,
        latest.repository,
        max(crawls.status) as crawl_status,
        max(crawls.error) as crawl_error
    from latest
    inner join numbered_crawls as crawls
        on latest.namespace = crawls.namespace
        and latest.repository = crawls.repository
        and latest.run_key = crawls.run_key
    group by latest.namespace, latest.repository
)

select
    cast(row_number() over (order by names.namespace, names.repository) as integer)
        as repository_key,
    cast(dense_rank() over (order by names.namespace) as integer) as namespace_key,
    names.namespace,
    names.repository,
    statuses.crawl_status,
    statuses.crawl_error,
    coalesce(statuses.crawl_status in ('complete', 'unchanged'), false) as is_complete
from names
left join statuses
    on names.namespace = statuses.namespace and names.repository = statuses.repository;
