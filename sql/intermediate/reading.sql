-- Exactly one row: how much of the registry was read, which decides whether something
-- unread might use the same blobs.
create or replace temp table reading as
with
latest_run as (select * from latest_run),
repos as (select * from live_repositories),
tagged as (select * from tagged_manifests),
sizes as (select * from manifest_sizes),

crawls as (
    select
        count(*) as repository_count,
        coalesce(sum(case when is_complete then 1 else 0 end), 0) as complete_count
    from repos
),

unread as (
    select cast(coalesce(sum(tagged.tag_count), 0) as bigint) as tag_count
    from tagged
    inner join sizes on tagged.manifest_key = sizes.manifest_key
    where sizes.has_unread
)

select
    latest_run.run_id,
    latest_run.as_of,
    latest_run.stale_days,
    unread.tag_count as unread_tag_count,
    coalesce(
        latest_run.unread_namespaces = 0
        and latest_run.unread_repositories = 0
        and crawls.complete_count = crawls.repository_count,
        false
    ) as is_crawled
from latest_run
cross join crawls
cross join unread;
