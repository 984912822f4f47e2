-- Each namespace.
select
    registry,
    namespace,
    tag_count as tags,
    logical_bytes,
    deduplicated_bytes,
    exclusive_bytes,
    allocated_bytes
from reports.namespace_sizes
order by registry, namespace;
