-- One row per repository and manifest its live tags point at.
create or replace temp table tagged_manifests as
with
tags as (select * from live_tags),
repos as (select * from live_repositories)
select
    repos.namespace_key,
    tags.repository_key,
    tags.manifest_key,
    count(*) as tag_count,
    min(tags.bucket_number) as lowest_bucket,
    max(tags.bucket_number) as highest_bucket,
    bool_and(tags.is_stale) as is_stale,
    min(tags.created_at) as oldest_created_at,
    max(tags.created_at) as newest_created_at,
    min(tags.updated_at) as oldest_updated_at,
    max(tags.updated_at) as newest_updated_at
from tags
inner join repos on tags.repository_key = repos.repository_key
group by repos.namespace_key, tags.repository_key, tags.manifest_key;
