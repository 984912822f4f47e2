-- One row per scope (the registry with scope_key 0, each live repository), kind of rule
-- and number of tags or days: what goes if a rule keeps so many, and stays if it keeps
-- one more. For a tag that is its age in days, or how many tags of its repository are
-- newer; a blob goes with the last tag that reaches it. Numbers beyond what SWR takes
-- are one row; what never goes is at 0.
create or replace table intermediate.curve_parts as
with
templates as (
    select 'tag_rule' as template
    union all
    select 'date_rule' as template
),

placed as (
    select
        namespace_key,
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
        'tag_rule' as template,
        case when newer_count > 1000 then 1000 else newer_count end as goes_at
    from placed
    union all
    select
        repository_key,
        manifest_key,
        'date_rule' as template,
        case when age_days > 365 then 365 else age_days end as goes_at
    from placed
),

manifests as (
    select
        repository_key,
        manifest_key,
        template,
        min(goes_at) as goes_at
    from tags
    group by repository_key, manifest_key, template
),

reached as (
    select
        contents.blob_key,
        manifests.template,
        min(manifests.goes_at) as goes_at
    from manifests
    inner join intermediate.manifest_blobs as contents
        on manifests.manifest_key = contents.root_key
    group by contents.blob_key, manifests.template
),

blobs as (
    select
        case when users.repository_count = 1 then users.lowest_repository_key end
            as repository_key,
        reached.template,
        reached.goes_at,
        users.size_bytes,
        users.is_uncertain
    from reached
    inner join intermediate.blob_users as users on reached.blob_key = users.blob_key
),

parts as (
    select
        tags.repository_key,
        tags.template,
        tags.goes_at,
        count(*) as tag_count,
        sum(sizes.logical_bytes) as logical_bytes,
        sum(case when sizes.is_known then 1 else 0 end) as known_count,
        sum(case when sizes.has_unread then 1 else 0 end) as unread_count,
        sum(case when sizes.has_open_parts then 1 else 0 end) as uncertain_count,
        0 as reclaimable_bytes
    from tags
    inner join intermediate.manifest_sizes as sizes
        on tags.manifest_key = sizes.manifest_key
    group by tags.repository_key, tags.template, tags.goes_at
    union all
    select
        repository_key,
        template,
        goes_at,
        0 as tag_count,
        0 as logical_bytes,
        0 as known_count,
        0 as unread_count,
        sum(case when is_uncertain then 1 else 0 end) as uncertain_count,
        sum(size_bytes) as reclaimable_bytes
    from blobs
    group by repository_key, template, goes_at
    union all
    select
        repos.repository_key,
        templates.template,
        0 as goes_at,
        0 as tag_count,
        0 as logical_bytes,
        0 as known_count,
        0 as unread_count,
        0 as uncertain_count,
        0 as reclaimable_bytes
    from intermediate.live_repositories as repos
    cross join templates
),

scoped as (
    select 0 as scope_key, * from parts
    union all
    select
        0 as scope_key,
        null as repository_key,
        template,
        0 as goes_at,
        0 as tag_count,
        0 as logical_bytes,
        0 as known_count,
        0 as unread_count,
        0 as uncertain_count,
        0 as reclaimable_bytes
    from templates
    union all
    select repository_key as scope_key, * from parts where repository_key is not null
)

select
    scope_key,
    template,
    goes_at,
    sum(tag_count) as tag_count,
    sum(logical_bytes) as logical_bytes,
    sum(known_count) as known_count,
    sum(unread_count) as unread_count,
    sum(uncertain_count) as uncertain_count,
    sum(reclaimable_bytes) as reclaimable_bytes
from scoped
group by scope_key, template, goes_at;
