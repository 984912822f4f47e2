-- error
-- A stale tag was not updated for stale_days, or follows something that was not: a date
-- that is none makes nothing stale.
select *
from reports.stale_tags
where subject_digest is null and coalesce(updated_age_days < stale_days, true);
