-- One row per scope (the registry with scope_key 0, each live repository), kind of rule
-- and number of tags or days: what goes if a rule keeps so many, and stays if it keeps
-- one more. For a tag that is its age in days, or how many tags of its repository are
-- newer; a blob goes with the last tag that reaches it. Numbers beyond what SWR takes
-- are one row; what never goes is at 0.
create or replace table intermediate.curve_parts as
with
placed as (
    select
        repository_key,
        manifest_key,
        row_number() over (
            partition by repository_key order by updated_at desc, tag_key
        ) - 1 as newer_count,
        coalesce(updated_age_days, 0) as age_days
    from intermediate.live_tags
),

tags as (
    select
        repository_key,
        manifest_key,
        cast(case when newer_count > 1000 then 1000 else newer_count end as integer)
            as newer_count,
        case when age_days > 365 then 365 else age_days end as age_days
    from placed
),

manifests as (
    select
        manifest_key,
        min(newer_count) as newer_count,
        min(age_days) as age_days
    from tags
    group by manifest_key
),

reached as (
    select
        contents.blob_key,
        min(manifests.newer_count) as newer_count,
        min(manifests.age_days) as age_days
    from manifests
    inner join intermediate.manifest_blobs as contents
        on manifests.manifest_key = contents.root_key
    group by contents.blob_key
),

blobs as (
    select
        case when users.repository_count = 1 then users.lowest_repository_key end
            as repository_key,
        reached.newer_count,
        reached.age_days,
        0 as tag_count,
        0 as logical_bytes,
        0 as known_count,
        0 as unread_count,
        case when users.is_uncertain then 1 else 0 end as uncertain_count,
        users.size_bytes as reclaimable_bytes
    from reached
    inner join intermediate.blob_users as users on reached.blob_key = users.blob_key
),

-- So that there is a row from the first number on, also without tags.
starts as (
    select
        repository_key,
        0 as newer_count,
        0 as age_days,
        0 as tag_count,
        0 as logical_bytes,
        0 as known_count,
        0 as unread_count,
        0 as uncertain_count,
        0 as reclaimable_bytes
    from intermediate.live_repositories
    union all
    select
        null as repository_key,
        0 as newer_count,
        0 as age_days,
        0 as tag_count,
        0 as logical_bytes,
        0 as known_count,
        0 as unread_count,
        0 as uncertain_count,
        0 as reclaimable_bytes
),

parts as (
    select
        tags.repository_key,
        tags.newer_count,
        tags.age_days,
        1 as tag_count,
        sizes.logical_bytes,
        case when sizes.is_known then 1 else 0 end as known_count,
        case when sizes.has_unread then 1 else 0 end as unread_count,
        case when sizes.has_open_parts then 1 else 0 end as uncertain_count,
        0 as reclaimable_bytes
    from tags
    inner join intermediate.manifest_sizes as sizes
        on tags.manifest_key = sizes.manifest_key
    union all
    select * from blobs
    union all
    select * from starts
),

by_number as (
    select
        repository_key,
        'tag_rule' as template,
        newer_count as goes_at,
        sum(tag_count) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(known_count) as known_count,
        sum(unread_count) as unread_count,
        sum(uncertain_count) as uncertain_count,
        sum(reclaimable_bytes) as reclaimable_bytes
    from parts
    group by repository_key, newer_count
    union all
    select
        repository_key,
        'date_rule' as template,
        age_days as goes_at,
        sum(tag_count) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(known_count) as known_count,
        sum(unread_count) as unread_count,
        sum(uncertain_count) as uncertain_count,
        sum(reclaimable_bytes) as reclaimable_bytes
    from parts
    group by repository_key, age_days
),

registry as (
    select
        0 as scope_key,
        template,
        goes_at,
        sum(tag_count) as tag_count,
        sum(logical_bytes) as logical_bytes,
        sum(known_count) as known_count,
        sum(unread_count) as unread_count,
        sum(uncertain_count) as uncertain_count,
        sum(reclaimable_bytes) as reclaimable_bytes
    from by_number
    group by template, goes_at
)

select * from registry
union all
select
    repository_key as scope_key,
    template,
    goes_at,
    tag_count,
    logical_bytes,
    known_count,
    unread_count,
    uncertain_count,
    reclaimable_bytes
from by_number
where repository_key is not null;
