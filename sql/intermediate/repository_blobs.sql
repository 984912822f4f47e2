-- One row per repository and stored blob that its live tags reach, with how many do.
create or replace table intermediate.repository_blobs as
select
    tagged.namespace_key,
    tagged.repository_key,
    contents.blob_key,
    cast(sum(tagged.tag_count) as bigint) as tag_count,
    min(tagged.lowest_bucket) as lowest_bucket,
    max(tagged.highest_bucket) as highest_bucket,
    bool_and(tagged.is_stale) as is_stale,
    bool_and(tagged.is_orphaned) as is_orphaned
from intermediate.tagged_manifests as tagged
inner join intermediate.manifest_blobs as contents
    on tagged.manifest_key = contents.root_key
group by tagged.namespace_key, tagged.repository_key, contents.blob_key;
