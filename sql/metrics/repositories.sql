-- Each live repository.
select
    registry,
    namespace,
    repository,
    tag_count as tags,
    logical_bytes,
    deduplicated_bytes,
    exclusive_bytes,
    allocated_bytes,
    download_count as pulls
from reports.repository_sizes
order by registry, namespace, repository;
