-- error
-- The bytes allocated to a namespace are the sum of those of its repositories, where they
-- are known.
with shares as (
    select registry, namespace, coalesce(sum(allocated_bytes), 0) as allocated_bytes
    from reports.repository_sizes
    group by registry, namespace
)

select
    coalesce(namespaces.namespace, shares.namespace) as namespace,
    namespaces.allocated_bytes,
    shares.allocated_bytes as repositories_allocated_bytes
from reports.namespace_sizes as namespaces
full join shares
    on namespaces.registry = shares.registry
    and namespaces.namespace = shares.namespace
where
    namespaces.namespace is null
    or coalesce(shares.allocated_bytes, -1) <> namespaces.allocated_bytes;
