-- The registry as a whole: what it holds, how much of that is exact, what stale tags hold.
select
    sizes.registry,
    sizes.as_of,
    sizes.oldest_read_at,
    sizes.namespace_count,
    sizes.repository_count,
    sizes.repositories_complete,
    sizes.tag_count,
    sizes.exact_size_tag_count,
    sizes.exact_reclaimable_tag_count,
    sizes.is_fully_read,
    sizes.deduplicated_bytes,
    sizes.logical_bytes,
    sizes.size_basis,
    sizes.saved_bytes,
    sizes.one_tag_bytes,
    sizes.one_repository_bytes,
    sizes.one_namespace_bytes,
    sizes.many_namespaces_bytes,
    sizes.ledger_basis,
    runs.stale_days,
    stale.tag_count as stale_tag_count,
    stale.reclaimable_bytes as stale_reclaimable_bytes,
    coalesce(stale.reclaimable_basis, 'exact') as stale_reclaimable_basis,
    costs.monthly_cost,
    costs.currency
from reports.registry_size as sizes
left join ingest.runs as runs on sizes.run_id = runs.run_id
cross join (
    select
        count(*) as tag_count,
        case when count(*) = 0 then 0 else min(registry_reclaimable_bytes) end
            as reclaimable_bytes,
        min(registry_reclaimable_basis) as reclaimable_basis
    from reports.stale_tags
) as stale
cross join (
    select
        sum(monthly_cost) as monthly_cost,
        min(currency) as currency
    from reports.costs
    where repository is null
) as costs;
