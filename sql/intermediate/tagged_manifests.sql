-- One row per repository and manifest that its live tags point at.
create or replace table intermediate.tagged_manifests as
select
    namespace_key,
    repository_key,
    manifest_key,
    count(*) as tag_count,
    min(bucket_number) as lowest_bucket,
    max(bucket_number) as highest_bucket,
    bool_and(is_stale) as is_stale,
    bool_and(is_orphaned) as is_orphaned
from intermediate.live_tags
group by namespace_key, repository_key, manifest_key;
