-- error
-- What a run changed of a namespace is what it changed of its repositories, and its last row
-- ends with what the namespace has, where that is known.
with
totals as (
    select
        run_id,
        registry,
        namespace,
        sum(added_bytes) as added_bytes,
        sum(orphaned_bytes) as orphaned_bytes,
        sum(learned_bytes) as learned_bytes,
        sum(shifted_bytes) as shifted_bytes,
        sum(allocated_after_bytes - allocated_before_bytes) as grown_bytes
    from reports.repository_growth
    group by run_id, registry, namespace
),

numbered as (
    select
        *,
        row_number() over (
            partition by registry, namespace order by as_of desc, run_id desc
        ) as from_last
    from reports.namespace_growth
)

select
    totals.run_id,
    totals.namespace,
    totals.grown_bytes,
    growth.allocated_before_bytes,
    growth.allocated_after_bytes,
    sizes.allocated_bytes
from totals
full join numbered as growth
    on totals.run_id = growth.run_id
    and totals.registry = growth.registry
    and totals.namespace = growth.namespace
left join reports.namespace_sizes as sizes
    on growth.registry = sizes.registry and growth.namespace = sizes.namespace
where
    totals.run_id is null
    or coalesce(growth.added_bytes, 0) <> totals.added_bytes
    or coalesce(growth.orphaned_bytes, 0) <> totals.orphaned_bytes
    or coalesce(growth.learned_bytes, 0) <> totals.learned_bytes
    or coalesce(growth.shifted_bytes, 0) <> totals.shifted_bytes
    or coalesce(growth.allocated_after_bytes - growth.allocated_before_bytes, 0)
    <> totals.grown_bytes
    or (growth.from_last = 1 and growth.allocated_after_bytes <> sizes.allocated_bytes);
