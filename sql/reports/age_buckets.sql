-- One row per live repository and age bucket, also empty ones: how many tags were last
-- updated then, and what deleting all of them together would give back.
create or replace table reports.age_buckets as
with
repos as (select * from live_repositories),
buckets as (select * from age_bucket_names),
tags as (select * from live_tags),
sizes as (select * from manifest_sizes),
users as (select * from blob_users),
reading as (select * from reading),

tag_totals as (
    select
        tags.repository_key,
        tags.bucket_number,
        count(*) as tag_count,
        cast(sum(sizes.logical_bytes) as bigint) as logical_bytes,
        bool_or(sizes.size_basis <> 'unknown') as is_known,
        bool_and(sizes.size_basis = 'exact') as is_exact,
        bool_or(sizes.has_unread or sizes.has_schema1) as has_uncertain_tags,
        sum(case when sizes.has_unread then 1 else 0 end) as unread_tag_count
    from tags
    inner join sizes on tags.manifest_key = sizes.manifest_key
    group by tags.repository_key, tags.bucket_number
),

-- Blobs whose every live user is in one repository and one bucket.
blob_totals as (
    select
        lowest_repository_key as repository_key,
        lowest_bucket as bucket_number,
        cast(sum(size_bytes) as bigint) as reclaimable_bytes,
        bool_or(is_uncertain) as has_uncertain_blobs
    from users
    where repository_count = 1 and lowest_bucket = highest_bucket
    group by lowest_repository_key, lowest_bucket
),

judged as (
    select
        repos.repository_key,
        repos.namespace,
        repos.repository,
        buckets.bucket_number,
        buckets.age_bucket,
        coalesce(tag_totals.tag_count, 0) as tag_count,
        coalesce(tag_totals.is_known, true) as is_known,
        coalesce(tag_totals.is_exact, true) as is_exact,
        coalesce(tag_totals.logical_bytes, 0) as logical_bytes,
        coalesce(blob_totals.reclaimable_bytes, 0) as reclaimable_bytes,
        coalesce(tag_totals.has_uncertain_tags, false)
            or coalesce(blob_totals.has_uncertain_blobs, false) as is_uncertain,
        not reading.is_crawled
            or reading.unread_tag_count > coalesce(tag_totals.unread_tag_count, 0)
            as is_unread_elsewhere,
        reading.as_of
    from repos
    cross join buckets
    cross join reading
    left join tag_totals
        on repos.repository_key = tag_totals.repository_key
        and buckets.bucket_number = tag_totals.bucket_number
    left join blob_totals
        on repos.repository_key = blob_totals.repository_key
        and buckets.bucket_number = blob_totals.bucket_number
)

select
    namespace,
    repository,
    bucket_number,
    age_bucket,
    tag_count,
    case when is_known then logical_bytes end as logical_bytes,
    case when is_known then reclaimable_bytes end as reclaimable_bytes,
    case
        when is_exact then 'exact'
        when is_known then 'lower_bound'
        else 'unknown'
    end as size_basis,
    case
        when tag_count = 0 then 'exact'
        when not is_known then 'unknown'
        when is_uncertain and is_unread_elsewhere then 'unknown'
        when is_uncertain then 'lower_bound'
        when is_unread_elsewhere then 'upper_bound'
        else 'exact'
    end as reclaimable_basis,
    as_of
from judged
order by repository_key, bucket_number;

comment on table reports.age_buckets is 'One row per live repository and age bucket, also empty ones: its tags, and what deleting them together would give back.';
comment on column reports.age_buckets.namespace is 'Namespace (organization).';
comment on column reports.age_buckets.repository is 'Repository name, with / where it has levels.';
comment on column reports.age_buckets.bucket_number is '1 for the newest bucket to 6 for the oldest, to sort by.';
comment on column reports.age_buckets.age_bucket is 'Days since updated_at: 0-7d, 8-30d, 31-90d, 91-180d, 181-365d or >365d.';
comment on column reports.age_buckets.tag_count is 'Live tags of this repository in this bucket.';
comment on column reports.age_buckets.logical_bytes is 'Sum of their logical bytes; null when nothing is known of any.';
comment on column reports.age_buckets.reclaimable_bytes is 'What would be given back if all tags of this row were deleted together, and no other.';
comment on column reports.age_buckets.size_basis is 'exact, lower_bound (parts of unknown size) or unknown, for logical_bytes.';
comment on column reports.age_buckets.reclaimable_basis is 'exact, lower_bound (parts of unknown size), upper_bound (something unread may use the same blobs) or unknown (both), for reclaimable_bytes.';
comment on column reports.age_buckets.as_of is 'The moment ages are computed for: as_of of the latest run.';
