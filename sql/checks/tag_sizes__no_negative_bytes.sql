-- error
-- No bytes are negative.
select *
from reports.tag_sizes
where
    logical_bytes < 0
    or exclusive_bytes < 0
    or shared_bytes < 0;
