-- What a month costs: the 300 dearest namespaces, and the others as one row.
with
placed as (
    select
        *,
        least(
            row_number() over (
                order by monthly_cost desc nulls last, registry, namespace
            ),
            301
        ) as place,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(allocated_basis, 'unknown', 'lower_bound')
        ) as bits
    from reports.costs
    where repository is null
)

select
    case when place <= 300 then min(namespace) end as namespace,
    count(*) as part_count,
    try_cast(sum(allocated_bytes) as bigint) as allocated_bytes,
    case
        when count(allocated_bytes) = 0 then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(bit_or(bits), 0)
            ]
    end as allocated_basis,
    sum(monthly_cost) as monthly_cost,
    min(currency) as currency,
    min(price_per_gb_month) as price_per_gb_month
from placed
group by place
order by place;
