-- The tags that would give back the most, each alone.
select
    namespace,
    repository,
    tag,
    manifest_kind,
    logical_bytes,
    reclaimable_bytes,
    reclaimable_basis
from reports.tag_sizes
order by reclaimable_bytes desc nulls last, namespace, repository, tag
limit 10;
