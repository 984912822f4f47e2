-- error
-- The costs of all repositories, and of all namespaces, are the registry's deduplicated
-- bytes x price, to the nearest cent, where the bytes are known.
with totals as (
    select
        repository is null as is_namespace,
        max(price_per_gb_month) as price_per_gb_month,
        coalesce(sum(monthly_cost), 0) as monthly_cost
    from reports.costs
    group by repository is null
)

select totals.*, registry.deduplicated_bytes
from totals
cross join reports.registry_size as registry
where
    abs(
        cast(totals.monthly_cost * 100 as hugeint) * 10737418240000
        - cast(totals.price_per_gb_month * 1000000 as hugeint)
        * registry.deduplicated_bytes
    ) > 5368709120000;
