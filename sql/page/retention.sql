-- What one retention rule for every repository would delete and give back: tag_rule keeps
-- so many of the newest tags, date_rule those updated within so many days.
select
    template,
    keeps,
    deleted_tag_count,
    reclaimable_bytes,
    reclaimable_basis
from reports.retention_curve
where scope = 'registry'
order by template, keeps;
