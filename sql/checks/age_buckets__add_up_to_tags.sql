-- error
-- The buckets of a repository hold all its tags, with all their logical bytes, and never
-- give back more than is exclusive to it, where these are known.
with totals as (
    select
        registry,
        namespace,
        repository,
        sum(tag_count) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(reclaimable_bytes) as reclaimable_bytes
    from reports.age_buckets
    group by registry, namespace, repository
)

select
    sizes.registry,
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
    on sizes.registry = totals.registry
    and sizes.namespace = totals.namespace
    and sizes.repository = totals.repository
where
    coalesce(totals.tag_count, -1) <> sizes.tag_count
    or coalesce(totals.logical_bytes, 0) <> sizes.logical_bytes
    or totals.reclaimable_bytes > sizes.exclusive_bytes;
