-- How many repositories a rule covers, and what rules take next.
select
    coverage,
    count(*) as repositories,
    sum(now_tag_count) as now_tags,
    sum(in_7_days_tag_count) as in_7_days_tags,
    sum(in_30_days_tag_count) as in_30_days_tags
from reports.retention_coverage
group by coverage
order by repositories desc, coverage
limit 10;
