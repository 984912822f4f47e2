-- error
-- Every live tag has one row and is in the one bucket of its age, in unknown without one.
with buckets as (
    select
        registry,
        namespace,
        repository,
        tag,
        count(*) as row_count,
        min(updated_age_days) as updated_age_days,
        min(age_bucket) as age_bucket,
        min(
            case age_bucket
                when '0-7d' then 0
                when '8-30d' then 8
                when '31-90d' then 31
                when '91-180d' then 91
                when '181-365d' then 181
                when '>365d' then 366
                when 'unknown' then -1
            end
        ) as first_day,
        min(
            case age_bucket
                when '0-7d' then 7
                when '8-30d' then 30
                when '31-90d' then 90
                when '91-180d' then 180
                when '181-365d' then 365
                when '>365d' then 2147483647
                when 'unknown' then -1
            end
        ) as last_day
    from reports.tag_ages
    group by registry, namespace, repository, tag
)

select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    buckets.row_count,
    buckets.updated_age_days,
    buckets.age_bucket
from main.tags
left join buckets
    on tags.registry = buckets.registry
    and tags.namespace = buckets.namespace
    and tags.repository = buckets.repository
    and tags.tag = buckets.tag
where
    coalesce(buckets.row_count, 0) <> 1
    or buckets.first_day is null
    or coalesce(buckets.updated_age_days, -1) < buckets.first_day
    or coalesce(buckets.updated_age_days, -1) > buckets.last_day;
