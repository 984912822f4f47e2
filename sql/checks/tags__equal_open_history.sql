-- error
-- The live tags are the open intervals, but for deleted and forgotten tags, with the same digests.
with open_history as (
    select namespace, repository, tag, manifest_digest
    from main.tag_history
    where valid_to is null and change not in ('deleted', 'forgotten')
)

select
    coalesce(tags.namespace, open_history.namespace) as namespace,
    coalesce(tags.repository, open_history.repository) as repository,
    coalesce(tags.tag, open_history.tag) as tag,
    tags.manifest_digest,
    open_history.manifest_digest as history_digest
from main.tags
full join open_history
    on tags.namespace = open_history.namespace
    and tags.repository = open_history.repository
    and tags.tag = open_history.tag
where tags.manifest_digest is distinct from open_history.manifest_digest;
