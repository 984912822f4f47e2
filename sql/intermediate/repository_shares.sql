-- One row per repository: its share of the blobs it uses, each divided equally among the
-- namespaces that use it, then among each one's repositories; whole bytes, the remainder
-- one each in name order.
create or replace temp table repository_shares as
with
used as (select * from repository_blobs),
users as (select * from blob_users where size_bytes is not null),

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
    from used
    inner join users on used.blob_key = users.blob_key
    where users.repository_count > 1
),

namespace_shares as (
    select
        repository_key,
        repository_count,
        repository_rank,
        cast((size_bytes - size_bytes % namespace_count) / namespace_count as bigint)
            + case when namespace_rank <= size_bytes % namespace_count then 1 else 0 end
            as share_bytes
    from ranked
),

shares as (
    select
        repository_key,
        cast((share_bytes - share_bytes % repository_count) / repository_count as bigint)
            + case
                when repository_rank <= share_bytes % repository_count then 1 else 0
            end as share_bytes
    from namespace_shares
    union all
    select lowest_repository_key as repository_key, size_bytes as share_bytes
    from users
    where repository_count = 1
)

select repository_key, cast(sum(share_bytes) as bigint) as allocated_bytes
from shares
group by repository_key;
