-- Each change ends the interval before it and begins one.
update tag_history
set
    valid_to = changes.seen_at,
    valid_to_earliest = changes.seen_at_earliest
from changes
where
    tag_history.registry = changes.registry
    and tag_history.namespace = changes.namespace
    and tag_history.repository = changes.repository
    and tag_history.tag = changes.tag
    and tag_history.valid_to is null;

insert into tag_history
select
    registry,
    namespace,
    repository,
    tag,
    manifest_digest,
    change,
    seen_at as valid_from,
    seen_at_earliest as valid_from_earliest,
    if(is_followed, seen_at, null) as valid_to,
    if(is_followed, seen_at_earliest, null) as valid_to_earliest,
from changes
order by registry, namespace, repository, tag, is_followed desc;
