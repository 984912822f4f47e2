-- error
-- Bytes are null exactly where nothing is known of them, never 0 instead.
select *
from reports.age_buckets
where
    (logical_bytes is null) <> (size_basis = 'unknown')
    or (reclaimable_bytes is null) <> (reclaimable_basis = 'unknown');
