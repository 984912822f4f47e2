-- error
-- Bytes are null exactly where nothing is known of them, never 0 instead.
select *
from reports.registry_size
where
    (logical_bytes is null) <> (size_basis = 'unknown')
    or (deduplicated_bytes is null) <> (size_basis = 'unknown')
    or (one_tag_bytes is null) <> (ledger_basis = 'unknown');
