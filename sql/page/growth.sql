-- The allocated bytes of the eight namespaces that hold most now, and of the others
-- together, after each run; of more than 400 runs, after the last one of each day.
with
days as (
    select
        *,
        count(*) over () as run_count,
        row_number() over (partition by day order by as_of desc, run_id desc) as place
    from reports.daily_growth
),

runs as (
    select as_of, deduplicated_after_bytes, basis
    from days
    where place = 1 or run_count <= 400
    order by as_of desc
    limit 400
),

largest as (
    select namespace
    from reports.namespace_sizes
    order by allocated_bytes desc nulls last, namespace
    limit 8
),

known as (
    select
        runs.as_of,
        largest.namespace,
        coalesce(growth.allocated_after_bytes, 0) as allocated_bytes,
        runs.basis
    from runs
    cross join largest
    asof left join reports.namespace_growth as growth
        on largest.namespace = growth.namespace and runs.as_of >= growth.as_of
),

others as (
    select
        runs.as_of,
        null as namespace,
        runs.deduplicated_after_bytes - coalesce(sum(known.allocated_bytes), 0)
            as allocated_bytes,
        runs.basis
    from runs
    left join known on runs.as_of = known.as_of
    group by runs.as_of, runs.deduplicated_after_bytes, runs.basis
),

series as (
    select * from known
    union all
    select * from others
    where (select max(abs(allocated_bytes)) from others) > 0
)

select
    as_of,
    namespace,
    try_cast(allocated_bytes as bigint) as allocated_bytes,
    try_cast(
        allocated_bytes - lag(allocated_bytes) over (
            partition by namespace order by as_of
        ) as bigint
    ) as change_bytes,
    basis
from series
order by as_of desc, namespace nulls last;
