-- error
-- The namespaces' logical bytes add up to the registry's, their exclusive bytes to what
-- one tag, one repository or several repositories of one namespace use, where the
-- registry's are known.
with namespace_totals as (
    select
        sum(tag_count) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(exclusive_bytes) as exclusive_bytes
    from reports.namespace_sizes
)

select
    namespace_totals.*,
    registry.tag_count as registry_tag_count,
    registry.logical_bytes as registry_logical_bytes,
    registry.deduplicated_bytes - registry.many_namespaces_bytes as one_namespace_bytes
from namespace_totals
cross join reports.registry_size as registry
where
    coalesce(namespace_totals.tag_count, 0) <> registry.tag_count
    or coalesce(namespace_totals.logical_bytes, 0) <> registry.logical_bytes
    or coalesce(namespace_totals.exclusive_bytes, 0)
    <> registry.one_tag_bytes
    + registry.one_repository_bytes
    + registry.one_namespace_bytes;
