-- error
-- No bytes are negative.
select *
from reports.tag_events
where
    orphaned_bytes < 0;
