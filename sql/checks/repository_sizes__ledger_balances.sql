-- error
-- The repositories' logical bytes add up to the registry's, their exclusive bytes to what
-- one tag or several tags of one repository use, where the registry's are known.
with repository_totals as (
    select
        sum(tag_count) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(exclusive_bytes) as exclusive_bytes
    from reports.repository_sizes
)

select
    repository_totals.*,
    registry.tag_count as registry_tag_count,
    registry.logical_bytes as registry_logical_bytes,
    registry.one_tag_bytes,
    registry.one_repository_bytes
from repository_totals
cross join reports.registry_size as registry
where
    coalesce(repository_totals.tag_count, 0) <> registry.tag_count
    or coalesce(repository_totals.logical_bytes, 0) <> registry.logical_bytes
    or coalesce(repository_totals.exclusive_bytes, 0)
    <> registry.one_tag_bytes + registry.one_repository_bytes;
