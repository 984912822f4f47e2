-- error
-- No bytes are negative.
select *
from reports.repository_sizes
where
    logical_bytes < 0
    or deduplicated_bytes < 0
    or saved_bytes < 0
    or exclusive_bytes < 0
    or shared_bytes < 0
    or allocated_bytes < 0;
