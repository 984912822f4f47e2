-- error
-- The tags said to be exact are those that are. Something unread or in doubt anywhere
-- leaves no tag exact to delete but one that holds all that is unread.
with exact as (
    select
        sum(case when size_basis = 'exact' then 1 else 0 end) as size_count,
        sum(case when reclaimable_basis = 'exact' then 1 else 0 end) as reclaimable_count
    from reports.tag_sizes
)

select registry.tag_count, registry.exact_size_tag_count, exact.*
from exact
cross join reports.registry_size as registry
where
    registry.exact_size_tag_count <> coalesce(exact.size_count, 0)
    or registry.exact_reclaimable_tag_count <> coalesce(exact.reclaimable_count, 0)
    or (registry.is_fully_read and registry.exact_size_tag_count < registry.tag_count);
