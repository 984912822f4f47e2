-- The repositories with the most bytes nobody else uses.
select
    namespace,
    repository,
    tag_count,
    logical_bytes,
    deduplicated_bytes,
    exclusive_bytes,
    exclusive_basis,
    crawl_status
from reports.repository_sizes
order by exclusive_bytes desc nulls last, namespace, repository
limit 10;
