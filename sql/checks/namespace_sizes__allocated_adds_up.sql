-- error
-- The bytes allocated to a namespace are the sum of those of its repositories.
with shares as (
    select namespace, coalesce(sum(allocated_bytes), 0) as allocated_bytes
    from reports.repository_sizes
    group by namespace
)

select
    coalesce(namespaces.namespace, shares.namespace) as namespace,
    namespaces.allocated_bytes,
    shares.allocated_bytes as repositories_allocated_bytes
from reports.namespace_sizes as namespaces
full join shares on namespaces.namespace = shares.namespace
where coalesce(namespaces.allocated_bytes, 0) is distinct from shares.allocated_bytes;
