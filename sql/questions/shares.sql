-- One row per chosen tag of set 0: its share of what the set would give back. Each blob is
-- divided equally among the namespaces that let go of it, then their repositories, then the
-- tags of each, in name order. Null where nothing is known of the tag.
with
tags as (
    select live.tag_key, live.namespace_key, live.repository_key, live.manifest_key
    from chosen
    inner join intermediate.live_tags as live on chosen.tag_key = live.tag_key
    where chosen.set_key = 0
),

pairs as (
    select tags.*, contents.blob_key
    from tags
    inner join intermediate.manifest_blobs as contents
        on tags.manifest_key = contents.root_key
),

fallen as (
    select pairs.blob_key, users.size_bytes, users.tag_count
    from pairs
    inner join intermediate.blob_users as users on pairs.blob_key = users.blob_key
    group by pairs.blob_key, users.size_bytes, users.tag_count
    having count(*) = users.tag_count
),

ranked as (
    select
        pairs.*,
        fallen.size_bytes,
        dense_rank() over (partition by pairs.blob_key order by pairs.namespace_key)
            as namespace_rank,
        dense_rank() over (
            partition by pairs.blob_key, pairs.namespace_key
            order by pairs.repository_key
        ) as repository_rank,
        row_number() over (
            partition by pairs.blob_key, pairs.repository_key order by pairs.tag_key
        ) as tag_rank
    from pairs
    inner join fallen on pairs.blob_key = fallen.blob_key
    where fallen.tag_count > 1
),

counted as (
    select
        *,
        max(namespace_rank) over (partition by blob_key) as namespace_count,
        max(repository_rank) over (partition by blob_key, namespace_key)
            as repository_count,
        max(tag_rank) over (partition by blob_key, repository_key) as tag_count
    from ranked
),

shares as (
    select pairs.tag_key, fallen.size_bytes as share_bytes
    from pairs
    inner join fallen on pairs.blob_key = fallen.blob_key
    where fallen.tag_count = 1
    union all
    select
        tag_key,
        equal_share(
            equal_share(
                equal_share(size_bytes, namespace_count, namespace_rank),
                repository_count,
                repository_rank
            ),
            tag_count,
            tag_rank
        ) as share_bytes
    from counted
),

totals as (
    select tag_key, try_cast(sum(share_bytes) as bigint) as share_bytes
    from shares
    group by tag_key
)

select
    tags.tag_key,
    case when sizes.is_known then coalesce(totals.share_bytes, 0) end as bytes
from tags
inner join intermediate.manifest_sizes as sizes on tags.manifest_key = sizes.manifest_key
left join totals on tags.tag_key = totals.tag_key
order by tags.tag_key;
