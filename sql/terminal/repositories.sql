-- Each live repository: what it holds, and how its allocated bytes and tags changed within
-- seven days before the latest run (since.sql). All allocated bytes add up to the registry's
-- deduplicated bytes.
with
grown as (
    select
        growth.namespace,
        growth.repository,
        cast(
            sum(growth.allocated_after_bytes - growth.allocated_before_bytes) as bigint
        ) as growth_bytes,
        cast(sum(growth.created_count + growth.restored_count) as bigint)
            as new_tag_count,
        cast(sum(growth.deleted_count + growth.forgotten_count) as bigint)
            as gone_tag_count,
        case when bool_and(growth.basis = 'exact') then 'exact' else 'estimate' end
            as growth_basis
    from reports.repository_growth as growth
    cross join reports.registry_size as registry
    where
        growth.as_of > registry.as_of - interval 7 days
        -- Of the first run everything is new.
        and growth.as_of > (select min(runs.as_of) from ingest.runs as runs)
    group by growth.namespace, growth.repository
)

select
    sizes.registry,
    sizes.namespace,
    sizes.repository,
    sizes.tag_count,
    sizes.logical_bytes,
    sizes.deduplicated_bytes,
    sizes.size_basis,
    sizes.exclusive_bytes,
    sizes.exclusive_basis,
    sizes.allocated_bytes,
    sizes.allocated_basis,
    coalesce(grown.growth_bytes, 0) as growth_bytes,
    coalesce(grown.growth_basis, 'exact') as growth_basis,
    coalesce(grown.new_tag_count, 0) as new_tag_count,
    coalesce(grown.gone_tag_count, 0) as gone_tag_count,
    costs.monthly_cost,
    costs.currency
from reports.repository_sizes as sizes
left join grown
    on sizes.namespace = grown.namespace and sizes.repository = grown.repository
left join reports.costs as costs
    on sizes.namespace = costs.namespace and sizes.repository = costs.repository
order by sizes.namespace, sizes.repository;
