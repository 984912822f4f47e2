-- Each namespace as a whole: what it holds, how much of that is exact, what its stale tags
-- hold. Those of several repositories together may give back more than their sum.
with
exact_tags as (
    select
        namespace,
        sum(case when size_basis = 'exact' then 1 else 0 end) as exact_size_tag_count,
        sum(case when reclaimable_basis = 'exact' then 1 else 0 end)
            as exact_reclaimable_tag_count
    from reports.tag_sizes
    group by namespace
),

stale_repositories as (
    select
        namespace,
        repository,
        count(*) as tag_count,
        any_value(repository_reclaimable_bytes) as reclaimable_bytes,
        any_value(repository_reclaimable_basis) as reclaimable_basis
    from reports.stale_tags
    group by namespace, repository
),

stale as (
    select
        namespace,
        cast(sum(tag_count) as bigint) as tag_count,
        cast(sum(reclaimable_bytes) as bigint) as reclaimable_bytes,
        case when count(*) = 1 then any_value(reclaimable_basis) else 'lower_bound' end
            as reclaimable_basis
    from stale_repositories
    group by namespace
)

select
    sizes.registry,
    sizes.namespace,
    sizes.as_of,
    sizes.oldest_read_at,
    sizes.repository_count,
    sizes.repositories_complete,
    sizes.tag_count,
    cast(coalesce(exact_tags.exact_size_tag_count, 0) as bigint) as exact_size_tag_count,
    cast(coalesce(exact_tags.exact_reclaimable_tag_count, 0) as bigint)
        as exact_reclaimable_tag_count,
    sizes.deduplicated_bytes,
    sizes.logical_bytes,
    sizes.size_basis,
    sizes.allocated_bytes,
    sizes.allocated_basis,
    runs.stale_days,
    coalesce(stale.tag_count, 0) as stale_tag_count,
    case when stale.tag_count is null then 0 else stale.reclaimable_bytes end
        as stale_reclaimable_bytes,
    coalesce(stale.reclaimable_basis, 'exact') as stale_reclaimable_basis,
    costs.monthly_cost,
    costs.currency
from reports.namespace_sizes as sizes
cross join reports.registry_size as registry
left join ingest.runs as runs on registry.run_id = runs.run_id
left join exact_tags on sizes.namespace = exact_tags.namespace
left join stale on sizes.namespace = stale.namespace
left join reports.costs as costs
    on sizes.namespace = costs.namespace and costs.repository is null
order by sizes.namespace;
