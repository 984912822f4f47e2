-- What some rules for every repository would give back.
select
    template,
    keeps,
    deleted_tag_count,
    reclaimable_bytes,
    reclaimable_basis
from reports.retention_curve
where scope = 'registry'
order by template desc, keeps
limit 10;
