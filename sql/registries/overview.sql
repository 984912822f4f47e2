-- Each registry of a warehouse of several: what it holds, how much of that is exact, how
-- its bytes changed within seven days before its latest run, what its stale tags hold.
with
first_runs as (
    select registry, min(as_of) as as_of
    from ingest.runs
    group by registry
),

grown as (
    select
        growth.registry,
        cast(
            sum(growth.allocated_after_bytes - growth.allocated_before_bytes) as bigint
        ) as growth_bytes,
        case when bool_and(growth.basis = 'exact') then 'exact' else 'estimate' end
            as growth_basis
    from reports.repository_growth as growth
    inner join reports.registry_size as sizes on growth.registry = sizes.registry
    inner join first_runs on growth.registry = first_runs.registry
    where
        growth.as_of > sizes.as_of - interval 7 days
        -- Of the first run everything is new.
        and growth.as_of > first_runs.as_of
    group by growth.registry
),

stale as (
    select
        registry,
        count(*) as tag_count,
        min(registry_reclaimable_bytes) as reclaimable_bytes,
        min(registry_reclaimable_basis) as reclaimable_basis
    from reports.stale_tags
    group by registry
),

unread as (
    select registry, count(*) as gap_count
    from reports.gaps
    group by registry
),

paid as (
    select
        registry,
        sum(monthly_cost) as monthly_cost,
        min(currency) as currency
    from reports.costs
    where repository is null
    group by registry
)

select
    sizes.registry,
    sizes.as_of,
    sizes.oldest_read_at,
    sizes.repository_count,
    sizes.repositories_complete,
    sizes.tag_count,
    sizes.exact_size_tag_count,
    sizes.logical_bytes,
    sizes.deduplicated_bytes,
    sizes.size_basis,
    coalesce(grown.growth_bytes, 0) as growth_bytes,
    coalesce(grown.growth_basis, 'exact') as growth_basis,
    coalesce(stale.tag_count, 0) as stale_tag_count,
    case when stale.tag_count is null then 0 else stale.reclaimable_bytes end
        as stale_reclaimable_bytes,
    coalesce(stale.reclaimable_basis, 'exact') as stale_reclaimable_basis,
    coalesce(unread.gap_count, 0) as gap_count,
    paid.monthly_cost,
    paid.currency
from reports.registry_size as sizes
left join grown on sizes.registry = grown.registry
left join stale on sizes.registry = stale.registry
left join unread on sizes.registry = unread.registry
left join paid on sizes.registry = paid.registry
order by sizes.registry;
