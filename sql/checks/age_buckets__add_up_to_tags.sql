-- error
-- The buckets of a repository hold all its tags, with all their logical bytes, and never
-- give back more than is exclusive to it.
with totals as (
    select
        namespace,
        repository,
        sum(tag_count) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(reclaimable_bytes) as reclaimable_bytes
    from reports.age_buckets
    group by namespace, repository
)

select
    sizes.namespace,
    sizes.repository,
    sizes.tag_count,
    totals.tag_count as bucket_tag_count,
    sizes.logical_bytes,
    totals.logical_bytes as bucket_logical_bytes,
    sizes.exclusive_bytes,
    totals.reclaimable_bytes
from reports.repository_sizes as sizes
left join totals
    on sizes.namespace = totals.namespace and sizes.repository = totals.repository
where
    coalesce(totals.tag_count, -1) <> sizes.tag_count
    or coalesce(totals.logical_bytes, 0) <> coalesce(sizes.logical_bytes, 0)
    or totals.reclaimable_bytes > sizes.exclusive_bytes;
