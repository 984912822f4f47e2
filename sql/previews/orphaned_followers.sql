-- The orphaned followers that would give back the most, each alone.
select
    namespace,
    repository,
    tag,
    updated_at,
    reclaimable_bytes,
    reclaimable_basis,
    together_reclaimable_bytes
from reports.orphaned_followers
order by reclaimable_bytes desc nulls last, namespace, repository, tag
limit 10;
