-- One row per repository: its share of the blobs it uses. Each is divided equally among
-- the namespaces that use it, then among each one's repositories, in name order.
create or replace table intermediate.repository_shares as
with
ranked as (
    select
        used.repository_key,
        users.size_bytes,
        users.namespace_count,
        count(*) over (partition by used.blob_key, used.namespace_key)
            as repository_count,
        dense_rank() over (partition by used.blob_key order by used.namespace_key)
            as namespace_rank,
        row_number() over (
            partition by used.blob_key, used.namespace_key
            order by used.repository_key
        ) as repository_rank
    from intermediate.repository_blobs as used
    inner join intermediate.blob_users as users on used.blob_key = users.blob_key
    where users.repository_count > 1
),

shares as (
    select
        repository_key,
        equal_share(
            equal_share(size_bytes, namespace_count, namespace_rank),
            repository_count,
            repository_rank
        ) as share_bytes
    from ranked
    union all
    select lowest_repository_key as repository_key, size_bytes as share_bytes
    from intermediate.blob_users
    where repository_count = 1
)

select repository_key, try_cast(sum(share_bytes) as bigint) as allocated_bytes
from shares
group by repository_key;
