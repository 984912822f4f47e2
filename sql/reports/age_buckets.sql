-- One row per live repository and age bucket, also empty ones: how many tags were last
-- updated then, and what deleting all of them together would give back.
create or replace table reports.age_buckets as
select
    repos.registry,
    repos.namespace,
    repos.repository,
    buckets.bucket_number,
    buckets.age_bucket,
    sizes.tag_count,
    sizes.logical_bytes,
    sizes.exclusive_bytes as reclaimable_bytes,
    sizes.size_basis,
    sizes.exclusive_basis as reclaimable_basis,
    run.as_of
from intermediate.live_repositories as repos
cross join intermediate.age_bucket_names as buckets
inner join intermediate.set_sizes as sizes
    on sizes.scope = 'repository'
    and repos.repository_key = sizes.scope_key
    and buckets.age_bucket = sizes.choice
cross join intermediate.latest_run as run
order by repos.repository_key, buckets.bucket_number;

comment on table reports.age_buckets is 'One row per live repository and age bucket, also empty ones: its tags, and what deleting them together would give back.';
comment on column reports.age_buckets.registry is 'Short name of the registry.';
comment on column reports.age_buckets.namespace is 'Namespace (organization).';
comment on column reports.age_buckets.repository is 'Repository name, with / where it has levels.';
comment on column reports.age_buckets.bucket_number is '1 for the newest bucket to 6 for the oldest, 7 for unknown, to sort by.';
comment on column reports.age_buckets.age_bucket is 'Days since updated_at: 0-7d, 8-30d, 31-90d, 91-180d, 181-365d, >365d, or unknown where that is no date.';
comment on column reports.age_buckets.tag_count is 'Live tags of this repository in this bucket.';
comment on column reports.age_buckets.logical_bytes is 'Sum of their logical bytes; null when nothing is known of any.';
comment on column reports.age_buckets.reclaimable_bytes is 'What would be given back if all tags of this row were deleted together, and no other.';
comment on column reports.age_buckets.size_basis is 'exact, lower_bound (something unread or of unknown size may add), estimate (something is in doubt) or unknown, for logical_bytes.';
comment on column reports.age_buckets.reclaimable_basis is 'exact, lower_bound (something unread or of unknown size may add), upper_bound (something unread may use the same blobs), estimate (both, or something is in doubt) or unknown, for reclaimable_bytes.';
comment on column reports.age_buckets.as_of is 'The moment ages are computed for: as_of of the latest run.';
