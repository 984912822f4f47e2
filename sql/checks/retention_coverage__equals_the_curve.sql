-- error
-- A rule without exceptions takes what the curve has for its number.
with rules as (
    select coverage.*
    from reports.retention_coverage as coverage
    where
        coverage.excepted_tag_count = 0
        and coverage.keeps
        <= case coverage.template when 'tag_rule' then 1000 else 365 end
),

steps as (
    select rules.registry, rules.namespace, rules.repository, max(curve.keeps) as keeps
    from rules
    inner join reports.retention_curve as curve
        on rules.registry = curve.registry
        and rules.namespace = curve.namespace
        and rules.repository = curve.repository
        and rules.template = curve.template
        and rules.keeps >= curve.keeps
    where curve.scope = 'repository'
    group by rules.registry, rules.namespace, rules.repository
)

select
    rules.registry,
    rules.namespace,
    rules.repository,
    rules.now_tag_count,
    curve.deleted_tag_count
from rules
left join steps
    on rules.registry = steps.registry
    and rules.namespace = steps.namespace
    and rules.repository = steps.repository
left join reports.retention_curve as curve
    on rules.registry = curve.registry
    and rules.namespace = curve.namespace
    and rules.repository = curve.repository
    and rules.template = curve.template
    and steps.keeps = curve.keeps
    and curve.scope = 'repository'
where
    rules.now_tag_count is distinct from curve.deleted_tag_count
    or rules.now_reclaimable_bytes is distinct from curve.reclaimable_bytes
    or rules.now_reclaimable_basis is distinct from curve.reclaimable_basis;
