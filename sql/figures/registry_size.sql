-- What the registry holds, and of how much that is exact.
select
    deduplicated_bytes,
    logical_bytes,
    saved_bytes,
    tag_count,
    exact_size_tag_count
from reports.registry_size;
