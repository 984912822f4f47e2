-- What keeps the sizes of the most live tags from being exact.
select
    kind,
    namespace,
    repository,
    tag,
    detail,
    affected_tag_count,
    remedy
from reports.gaps
order by affected_tag_count desc, kind, namespace, repository, tag, detail
limit 10;
