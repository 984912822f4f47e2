-- Exactly one row: what of the registry was not read. unread_count: the live tags with an
-- unread part, and one more for all that was not crawled, which is in no set of tags. A
-- set with fewer of them may share its blobs with something unread.
create or replace temp table reading as
with
crawls as (
    select coalesce(bool_and(is_complete), true) as is_complete
    from live_repositories
),

unread as (
    select cast(coalesce(sum(tagged.tag_count), 0) as bigint) as tag_count
    from tagged_manifests as tagged
    inner join manifest_sizes as sizes on tagged.manifest_key = sizes.manifest_key
    where sizes.has_unread
),

judged as (
    select
        unread.tag_count as unread_tag_count,
        coalesce(
            run.unread_namespaces = 0
            and run.unread_repositories = 0
            and crawls.is_complete,
            false
        ) as is_crawled
    from latest_run as run
    cross join crawls
    cross join unread
)

select
    unread_tag_count,
    unread_tag_count + case when is_crawled then 0 else 1 end as unread_count
from judged;
