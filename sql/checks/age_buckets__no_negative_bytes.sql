-- error
-- No bytes are negative.
select *
from reports.age_buckets
where
    logical_bytes < 0
    or reclaimable_bytes < 0;
