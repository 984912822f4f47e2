-- The largest namespaces.
select
    namespace,
    repository_count,
    tag_count,
    logical_bytes,
    deduplicated_bytes,
    exclusive_bytes,
    exclusive_basis,
    allocated_bytes,
    size_basis
from reports.namespace_sizes
order by deduplicated_bytes desc nulls last, namespace
limit 10;
