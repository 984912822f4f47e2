-- error
-- The bytes allocated to the repositories add up to the registry's deduplicated bytes, where
-- these are known.
with shares as (
    select coalesce(sum(allocated_bytes), 0) as allocated_bytes
    from reports.repository_sizes
)

select shares.allocated_bytes, registry.deduplicated_bytes
from shares
cross join reports.registry_size as registry
where shares.allocated_bytes <> registry.deduplicated_bytes;
