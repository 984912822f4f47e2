-- error
-- The tags' logical bytes add up to the registry's, their exclusive bytes to the bytes
-- only one tag uses. Where the registry's are not known, none are, or too many.
with tag_totals as (
    select
        count(*) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(exclusive_bytes) as exclusive_bytes
    from reports.tag_sizes
)

select
    tag_totals.*,
    registry.tag_count as registry_tag_count,
    registry.logical_bytes as registry_logical_bytes,
    registry.one_tag_bytes
from tag_totals
cross join reports.registry_size as registry
where
    tag_totals.tag_count <> registry.tag_count
    or coalesce(tag_totals.logical_bytes, 0) <> registry.logical_bytes
    or (
        registry.logical_bytes is null
        and tag_totals.logical_bytes between 1 and 9223372036854775807
    )
    or coalesce(tag_totals.exclusive_bytes, 0) <> registry.one_tag_bytes;
