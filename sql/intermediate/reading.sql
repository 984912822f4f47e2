-- Exactly one row: what of the registry was not read, and whether any is in doubt.
-- unread_count: live tags with an unread part, and repositories and namespaces that may
-- hold more. A set with fewer of them may share its blobs with something unread.
create or replace table intermediate.reading as
with tags as (
    select cast(coalesce(sum(tagged.tag_count), 0) as bigint) as unread_count
    from intermediate.tagged_manifests as tagged
    inner join intermediate.manifest_sizes as sizes
        on tagged.manifest_key = sizes.manifest_key
    where sizes.has_unread
)

select
    tags.unread_count as unread_tag_count,
    tags.unread_count + rest.unread_count as unread_count,
    rest.is_in_doubt
from tags
cross join intermediate.scope_reading as rest
where rest.scope = 'registry';
