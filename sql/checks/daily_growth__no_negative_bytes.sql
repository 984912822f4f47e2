-- error
-- No bytes are negative.
select *
from reports.daily_growth
where
    deduplicated_before_bytes < 0
    or added_bytes < 0
    or orphaned_bytes < 0
    or deduplicated_after_bytes < 0;
