-- Signatures, attestations and their like whose subject no live tag reaches any more: the
-- 200 that would give back most, and the others as one row.
with
placed as (
    select
        *,
        least(
            row_number() over (
                order by
                    reclaimable_bytes desc nulls last,
                    registry,
                    namespace,
                    repository,
                    tag
            ),
            201
        ) as place,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(reclaimable_basis, 'unknown', 'lower_bound')
        ) as bits
    from reports.orphaned_followers
)

select
    case when place <= 200 then min(namespace) end as namespace,
    case when place <= 200 then min(repository) end as repository,
    case when place <= 200 then min(tag) end as tag,
    count(*) as tag_count,
    case when place <= 200 then min(subject_digest) end as subject_digest,
    try_cast(sum(reclaimable_bytes) as bigint) as reclaimable_bytes,
    case
        when count(reclaimable_bytes) = 0 then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(bit_or(bits), 0)
            ]
    end as reclaimable_basis,
    max(updated_at) as newest_updated_at
from placed
group by place
order by place;
