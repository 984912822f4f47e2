-- error
-- In every row exclusive and shared bytes add up to the logical ones, and what is
-- reclaimable is what is exclusive.
select *
from reports.tag_sizes
where
    exclusive_bytes + shared_bytes is distinct from logical_bytes
    or reclaimable_bytes is distinct from exclusive_bytes
    or reclaimable_basis is distinct from exclusive_basis;
