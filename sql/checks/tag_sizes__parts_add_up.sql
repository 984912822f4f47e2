-- error
-- In every row exclusive and shared bytes add up to the logical ones.
select *
from reports.tag_sizes
where
    exclusive_bytes + shared_bytes is distinct from logical_bytes
    or reclaimable_bytes is distinct from exclusive_bytes;
