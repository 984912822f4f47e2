-- error
-- Bytes are null exactly where nothing is known of them, never 0 instead.
select *
from reports.repository_sizes
where
    (logical_bytes is null) <> (size_basis = 'unknown')
    or (deduplicated_bytes is null) <> (size_basis = 'unknown')
    or (exclusive_bytes is null) <> (exclusive_basis = 'unknown')
    or (allocated_bytes is null) <> (allocated_basis = 'unknown');
