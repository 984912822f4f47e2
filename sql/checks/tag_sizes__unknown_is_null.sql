-- error
-- Bytes are null exactly where nothing is known of them, never 0 instead.
select *
from reports.tag_sizes
where
    (logical_bytes is null) <> (size_basis = 'unknown')
    or (exclusive_bytes is null) <> (exclusive_basis = 'unknown');
