-- One row per scope (the registry, each repository of which an execution was judged) and
-- way to read its rules: what they were predicted to delete, beside what the log says.
create or replace table reports.retention_agreement as
with
scoped as (
    select
        registry,
        '' as namespace,
        '' as repository,
        clock,
        days,
        selectors,
        unit,
        match,
        ties,
        tag_count,
        logged_count,
        predicted_count,
        agreed_count
    from ingest.retention_fits
    union all
    select
        registry,
        namespace,
        repository,
        clock,
        days,
        selectors,
        unit,
        match,
        ties,
        tag_count,
        logged_count,
        predicted_count,
        agreed_count
    from ingest.retention_fits
),

sums as (
    select
        dense_rank() over (order by registry, namespace, repository) as scope_key,
        registry,
        namespace,
        repository,
        clock,
        days,
        selectors,
        unit,
        match,
        ties,
        count(*) as execution_count,
        sum(tag_count) as tag_count,
        sum(logged_count) as logged_count,
        sum(predicted_count) as predicted_count,
        sum(agreed_count) as agreed_count
    from scoped
    group by
        registry, namespace, repository, clock, days, selectors, unit, match, ties
),

scopes as (
    select distinct scope_key, registry, namespace, repository from sums
),

clocks as (
    select distinct scope_key, clock from sums
),

day_counts as (
    select distinct scope_key, days from sums where days is not null
),

selector_uses as (
    select distinct scope_key, selectors from sums where selectors is not null
),

units as (
    select distinct scope_key, unit from sums where unit is not null
),

matches as (
    select distinct scope_key, match from sums where match is not null
),

tie_breaks as (
    select distinct scope_key, ties from sums where ties is not null
),

-- Every way to read that makes a difference somewhere in the scope.
readings as (
    select
        scopes.scope_key,
        clocks.clock,
        day_counts.days,
        selector_uses.selectors,
        units.unit,
        matches.match,
        tie_breaks.ties
    from scopes
    inner join clocks on scopes.scope_key = clocks.scope_key
    left join day_counts on scopes.scope_key = day_counts.scope_key
    left join selector_uses on scopes.scope_key = selector_uses.scope_key
    left join units on scopes.scope_key = units.scope_key
    left join matches on scopes.scope_key = matches.scope_key
    left join tie_breaks on scopes.scope_key = tie_breaks.scope_key
),

-- An execution counts in each of them by what makes a difference to it.
totals as (
    select
        readings.scope_key,
        readings.clock,
        readings.days,
        readings.selectors,
        readings.unit,
        readings.match,
        readings.ties,
        cast(sum(sums.execution_count) as bigint) as execution_count,
        cast(sum(sums.tag_count) as bigint) as tag_count,
        cast(sum(sums.logged_count) as bigint) as logged_tag_count,
        cast(sum(sums.predicted_count) as bigint) as predicted_tag_count,
        cast(sum(sums.agreed_count) as bigint) as agreed_tag_count
    from readings
    inner join sums
        on readings.scope_key = sums.scope_key
        and readings.clock = sums.clock
        and (sums.days is null or readings.days = sums.days)
        and (sums.selectors is null or readings.selectors = sums.selectors)
        and (sums.unit is null or readings.unit = sums.unit)
        and (sums.match is null or readings.match = sums.match)
        and (sums.ties is null or readings.ties = sums.ties)
    group by
        readings.scope_key,
        readings.clock,
        readings.days,
        readings.selectors,
        readings.unit,
        readings.match,
        readings.ties
),

-- Of the tags that either names, those that both do.
judged as (
    select
        *,
        case
            when logged_tag_count + predicted_tag_count > 0
                then
                    cast(100 * agreed_tag_count as double)
                    / (logged_tag_count + predicted_tag_count - agreed_tag_count)
        end as agreement_percent
    from totals
)

select
    scopes.registry,
    case when scopes.namespace = '' then 'registry' else 'repository' end as scope,
    nullif(scopes.namespace, '') as namespace,
    nullif(scopes.repository, '') as repository,
    judged.clock,
    judged.days,
    judged.selectors,
    judged.unit,
    judged.match,
    judged.ties,
    judged.execution_count,
    judged.tag_count,
    judged.logged_tag_count,
    judged.predicted_tag_count,
    judged.agreed_tag_count,
    judged.agreement_percent,
    coalesce(
        judged.agreement_percent
        = max(judged.agreement_percent) over (partition by judged.scope_key),
        false
    ) as is_best,
    judged.clock = 'updated'
    and coalesce(judged.days, '24h') = '24h'
    and coalesce(judged.selectors, 'excepted') = 'excepted'
    and coalesce(judged.unit, 'tags') = 'tags'
    and coalesce(judged.match, 'search') = 'search'
    and coalesce(judged.ties, 'first_name') = 'first_name' as is_documented,
    run.as_of
from judged
inner join scopes on judged.scope_key = scopes.scope_key
cross join intermediate.latest_run as run
order by
    judged.scope_key,
    judged.agreement_percent desc,
    is_documented desc,
    judged.clock,
    judged.days,
    judged.selectors,
    judged.unit,
    judged.match,
    judged.ties;

comment on table reports.retention_agreement is 'One row per scope (the registry, each repository of which an execution of a retention rule was judged) and way to read its rules: what they were predicted to delete of the tags known before, beside what the registry''s own log says. Needs SWR_READ_RULES.';
comment on column reports.retention_agreement.registry is 'Short name of the registry.';
comment on column reports.retention_agreement.scope is 'registry or repository.';
comment on column reports.retention_agreement.namespace is 'Namespace (organization); null for the registry.';
comment on column reports.retention_agreement.repository is 'Repository name, with / where it has levels; null for the registry.';
comment on column reports.retention_agreement.clock is 'How the rules are read: see docs/deciding.md. A switch is null where it makes no difference to any rule of the scope.';
comment on column reports.retention_agreement.days is 'Likewise.';
comment on column reports.retention_agreement.selectors is 'Likewise.';
comment on column reports.retention_agreement.unit is 'Likewise.';
comment on column reports.retention_agreement.match is 'Likewise.';
comment on column reports.retention_agreement.ties is 'Likewise.';
comment on column reports.retention_agreement.execution_count is 'Executions that the log names and that could be judged.';
comment on column reports.retention_agreement.tag_count is 'Tags that were there at each, as far as it is known whether the rule deleted them.';
comment on column reports.retention_agreement.logged_tag_count is 'Of these, those that the log names as deleted.';
comment on column reports.retention_agreement.predicted_tag_count is 'Of these, those that the rules delete by this reading.';
comment on column reports.retention_agreement.agreed_tag_count is 'Of these, those that both name.';
comment on column reports.retention_agreement.agreement_percent is 'agreed_tag_count in percent of the tags that either names; null where neither names any.';
comment on column reports.retention_agreement.is_best is 'Whether no other reading of the scope agrees more; several may agree as much.';
comment on column reports.retention_agreement.is_documented is 'Whether it is the reading that SWR documents.';
comment on column reports.retention_agreement.as_of is 'as_of of the latest run.';
