-- Which readings of the rules fit the registry's own log best.
select
    clock,
    days,
    selectors,
    unit,
    match,
    ties,
    execution_count,
    round(agreement_percent, 1) as agreement_percent
from reports.retention_agreement
where scope = 'registry' and is_best
order by is_documented desc, clock, days, selectors, unit, match, ties
limit 10;
