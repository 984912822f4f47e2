-- One row per live tag: its age on each clock, in whole days of 24 hours up to as_of.
create or replace table reports.tag_ages as
select
    tags.registry,
    tags.namespace,
    tags.repository,
    tags.tag,
    tags.created_at,
    tags.updated_at,
    tags.pulled_at,
    builds.built_at,
    tags.created_age_days,
    tags.updated_age_days,
    whole_days(tags.pulled_at, run.as_of) as pulled_age_days,
    whole_days(builds.built_at, run.as_of) as built_age_days,
    buckets.age_bucket,
    run.as_of
from intermediate.live_tags as tags
inner join intermediate.age_bucket_names as buckets
    on tags.bucket_number = buckets.bucket_number
left join intermediate.build_dates as builds on tags.manifest_key = builds.manifest_key
cross join intermediate.latest_run as run
order by tags.tag_key;

comment on table reports.tag_ages is 'One row per live tag: its age on each clock.';
comment on column reports.tag_ages.registry is 'Short name of the registry.';
comment on column reports.tag_ages.namespace is 'Namespace (organization).';
comment on column reports.tag_ages.repository is 'Repository name, with / where it has levels.';
comment on column reports.tag_ages.tag is 'Tag name.';
comment on column reports.tag_ages.created_at is 'When the tag was created, according to the registry.';
comment on column reports.tag_ages.updated_at is 'When the tag was last pushed or moved, according to the registry.';
comment on column reports.tag_ages.pulled_at is 'When the tag was last pulled; null where that never was, is no date, or nothing says: only instances of the enterprise edition do.';
comment on column reports.tag_ages.built_at is 'When the newest of its images was built, by its configuration; null unless that was read (SWR_READ_CONFIGS), or is no date.';
comment on column reports.tag_ages.created_age_days is 'Whole days of 24 hours from created_at to as_of, never negative; null if created_at is, or is no date.';
comment on column reports.tag_ages.updated_age_days is 'Whole days of 24 hours from updated_at to as_of, never negative; null if that is no date.';
comment on column reports.tag_ages.pulled_age_days is 'Whole days of 24 hours from pulled_at to as_of, never negative; null if pulled_at is.';
comment on column reports.tag_ages.built_age_days is 'Whole days of 24 hours from built_at to as_of, never negative; null if built_at is.';
comment on column reports.tag_ages.age_bucket is 'updated_age_days as 0-7d, 8-30d, 31-90d, 91-180d, 181-365d or >365d; unknown where that is no date.';
comment on column reports.tag_ages.as_of is 'The moment ages are computed for: as_of of the latest run.';
