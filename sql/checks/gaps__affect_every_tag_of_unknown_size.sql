-- error
-- A live tag whose size is not exact is one that some gap affects.
with affected as (
    select coalesce(sum(affected_tag_count), 0) as tag_count from reports.gaps
)

select
    affected.tag_count,
    registry.tag_count - registry.exact_size_tag_count as open_count
from affected
cross join reports.registry_size as registry
where affected.tag_count < registry.tag_count - registry.exact_size_tag_count;
