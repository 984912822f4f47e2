-- What runs most.
select
    namespace,
    repository,
    tag,
    is_seen,
    container_count,
    clusters,
    last_seen_at,
    matched_by
from reports.tag_use
order by container_count desc nulls last, namespace, repository, tag
limit 10;
