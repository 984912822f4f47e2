-- The findings that touch the most live tags.
select
    finding,
    namespace,
    repository,
    tag,
    detail,
    live_tag_count
from reports.integrity
order by
    live_tag_count desc nulls last,
    finding,
    namespace,
    repository,
    tag,
    digest,
    child_digest
limit 10;
