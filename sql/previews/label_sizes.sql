-- The labels that hold most.
select
    label_key,
    label_value,
    tag_count,
    deduplicated_bytes,
    exclusive_bytes,
    exclusive_basis
from reports.label_sizes
order by deduplicated_bytes desc nulls last, label_key, label_value
limit 10;
