-- error
-- A figure that is not exact has a reason in gaps, and the registry's size is exact only
-- without one.
with
bases as (
    select size_basis as basis from reports.registry_size
    union all
    select ledger_basis as basis from reports.registry_size
    union all
    select size_basis as basis from reports.namespace_sizes
    union all
    select exclusive_basis as basis from reports.namespace_sizes
    union all
    select allocated_basis as basis from reports.namespace_sizes
    union all
    select size_basis as basis from reports.repository_sizes
    union all
    select exclusive_basis as basis from reports.repository_sizes
    union all
    select allocated_basis as basis from reports.repository_sizes
    union all
    select size_basis as basis from reports.age_buckets
    union all
    select reclaimable_basis as basis from reports.age_buckets
    union all
    select size_basis as basis from reports.tag_sizes
    union all
    select exclusive_basis as basis from reports.tag_sizes
),

counted as (
    select
        sum(case when basis <> 'exact' then 1 else 0 end) as bound_count,
        (select count(*) from reports.gaps) as gap_count,
        (
            select count(*) from reports.integrity where finding = 'sum_beyond_bigint'
        ) as beyond_count
    from bases
)

select
    counted.*,
    registry.size_basis,
    registry.ledger_basis,
    registry.is_fully_read
from counted
cross join reports.registry_size as registry
where
    (counted.bound_count > 0 and counted.gap_count + counted.beyond_count = 0)
    or (counted.gap_count > 0 and registry.size_basis = 'exact')
    or (counted.gap_count > 0 and registry.ledger_basis = 'exact')
    or registry.is_fully_read <> (counted.gap_count = 0 and registry.run_id is not null);
