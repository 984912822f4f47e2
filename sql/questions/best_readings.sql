-- One row per way to read the rules that fits the registry's own log best.
select clock, days, selectors, unit, match, ties, execution_count, agreement_percent
from reports.retention_agreement
where scope = 'registry' and is_best
order by is_documented desc, clock, days, selectors, unit, match, ties;
