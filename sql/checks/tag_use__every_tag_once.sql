-- error
-- Each live tag has one row, and nothing is said of it where there is no snapshot.
select
    coalesce(tags.namespace, tag_use.namespace) as namespace,
    coalesce(tags.repository, tag_use.repository) as repository,
    coalesce(tags.tag, tag_use.tag) as tag,
    count(*) as row_count
from main.tags
full join reports.tag_use
    on tags.registry = tag_use.registry
    and tags.namespace = tag_use.namespace
    and tags.repository = tag_use.repository
    and tags.tag = tag_use.tag
group by all
having
    count(*) <> 1
    or count(tags.tag) <> 1
    or count(tag_use.tag) <> 1
    or bool_or((tag_use.is_seen is null) <> (tag_use.snapshot_count = 0));
