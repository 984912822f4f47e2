-- The bytes that moves, deletions and forgotten tags orphaned on each of the last 400 days
-- with any: no live tag reaches them since. The registry collects them when it wants.
with
events as (
    select
        cast(growth.day as varchar) as day,
        events.change,
        events.orphaned_bytes,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(events.orphaned_basis, 'unknown', 'lower_bound')
        ) as orphaned_bits
    from reports.tag_events as events
    inner join reports.daily_growth as growth on events.run_id = growth.run_id
    where events.change in ('moved', 'deleted', 'forgotten')
),

summed as (
    select
        day,
        change,
        count(*) as tag_count,
        sum(orphaned_bytes) as orphaned_bytes,
        bit_or(orphaned_bits) as orphaned_bits,
        dense_rank() over (order by day desc) as day_number
    from events
    group by day, change
)

select
    day,
    change,
    tag_count,
    try_cast(orphaned_bytes as bigint) as orphaned_bytes,
    case
        when orphaned_bytes is null then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(orphaned_bits, 0)
            ]
    end as orphaned_basis
from summed
where day_number <= 400
order by day desc, change;
