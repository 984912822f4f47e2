-- The stale tags that would give back the most, each alone.
select
    namespace,
    repository,
    tag,
    updated_at,
    updated_age_days,
    reclaimable_bytes,
    reclaimable_basis
from reports.stale_tags
order by reclaimable_bytes desc nulls last, namespace, repository, tag
limit 10;
