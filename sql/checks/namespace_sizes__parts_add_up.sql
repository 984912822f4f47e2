-- error
-- In every row exclusive and shared bytes add up to the deduplicated ones, and with the
-- saved bytes to the logical ones.
select *
from reports.namespace_sizes
where
    exclusive_bytes + shared_bytes is distinct from deduplicated_bytes
    or deduplicated_bytes + saved_bytes is distinct from logical_bytes;
