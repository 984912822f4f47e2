-- The ages that hold the most to reclaim.
select
    namespace,
    repository,
    age_bucket,
    tag_count,
    reclaimable_bytes,
    reclaimable_basis
from reports.age_buckets
order by reclaimable_bytes desc nulls last, namespace, repository, bucket_number
limit 10;
