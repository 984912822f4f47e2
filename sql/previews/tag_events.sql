-- The latest changes.
select
    detected_at,
    change,
    namespace,
    repository,
    tag,
    orphaned_bytes,
    orphaned_basis
from reports.tag_events
order by detected_at desc, namespace, repository, tag
limit 10;
