-- The tags and bytes of each age in days, by both clocks: when tags were last updated, and
-- when they were created. An exclusive byte belongs to one tag, a logical one to each tag
-- that reaches it.
with
sizes as (
    select
        ages.updated_age_days,
        ages.created_age_days,
        sizes.logical_bytes,
        sizes.exclusive_bytes,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(sizes.size_basis, 'unknown', 'lower_bound')
        ) as size_bits,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(sizes.exclusive_basis, 'unknown', 'lower_bound')
        ) as exclusive_bits
    from reports.tag_ages as ages
    inner join reports.tag_sizes as sizes using (registry, namespace, repository, tag)
),

aged as (
    select *, 'updated' as clock, updated_age_days as age_days from sizes
    union all
    select *, 'created' as clock, created_age_days as age_days from sizes
),

bucketed as (
    select
        *,
        case
            when age_days is null then 7
            when age_days <= 7 then 1
            when age_days <= 30 then 2
            when age_days <= 90 then 3
            when age_days <= 180 then 4
            when age_days <= 365 then 5
            else 6
        end as bucket_number
    from aged
),

summed as (
    select
        clock,
        bucket_number,
        count(*) as tag_count,
        sum(logical_bytes) as logical_bytes,
        bit_or(size_bits) as size_bits,
        sum(exclusive_bytes) as exclusive_bytes,
        bit_or(exclusive_bits) as exclusive_bits
    from bucketed
    group by clock, bucket_number
)

select
    clock,
    bucket_number,
    ['0-7d', '8-30d', '31-90d', '91-180d', '181-365d', '>365d', 'unknown'][bucket_number]
        as age_bucket,
    tag_count,
    try_cast(logical_bytes as bigint) as logical_bytes,
    case
        when logical_bytes is null then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(size_bits, 0)
            ]
    end as size_basis,
    try_cast(exclusive_bytes as bigint) as exclusive_bytes,
    case
        when exclusive_bytes is null then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(exclusive_bits, 0)
            ]
    end as exclusive_basis
from summed
order by clock desc, bucket_number;
