-- One row per live repository: whether a retention rule of the registry covers it, and
-- what that rule takes next, in 7 and in 30 days if nothing is pushed.
create or replace table reports.retention_coverage as
with
horizons as (
    select 0 as within_days
    union all
    select 7 as within_days
    union all
    select 30 as within_days
),

ruled as (
    select
        repository_key,
        count(*) as live_tag_count,
        count(case when is_excepted then 1 end) as excepted_tag_count,
        count(case when is_open then 1 end) as open_tag_count,
        min(goes_in_days) as next_in_days
    from intermediate.ruled_tags
    group by repository_key
),

-- A manifest goes with the last of its tags, a blob with the last manifest.
manifests as (
    select
        repository_key,
        manifest_key,
        max(coalesce(goes_in_days, 1000000000)) as goes_in_days
    from intermediate.ruled_tags
    group by repository_key, manifest_key
),

reached as (
    select
        manifests.repository_key,
        contents.blob_key,
        max(manifests.goes_in_days) as goes_in_days
    from manifests
    inner join intermediate.manifest_blobs as contents
        on manifests.manifest_key = contents.root_key
    group by manifests.repository_key, contents.blob_key
),

parts as (
    select
        tags.repository_key,
        tags.goes_in_days,
        1 as tag_count,
        sizes.logical_bytes,
        case when sizes.is_known then 1 else 0 end as known_count,
        case when sizes.has_unread then 1 else 0 end as unread_count,
        case when sizes.has_open_parts then 1 else 0 end as uncertain_count,
        0 as reclaimable_bytes
    from intermediate.ruled_tags as tags
    inner join intermediate.manifest_sizes as sizes
        on tags.manifest_key = sizes.manifest_key
    union all
    select
        reached.repository_key,
        reached.goes_in_days,
        0 as tag_count,
        0 as logical_bytes,
        0 as known_count,
        0 as unread_count,
        case when users.is_uncertain then 1 else 0 end as uncertain_count,
        users.size_bytes as reclaimable_bytes
    from reached
    inner join intermediate.blob_users as users on reached.blob_key = users.blob_key
    where users.repository_count = 1
),

totals as (
    select
        rules.repository_key,
        horizons.within_days,
        coalesce(sum(parts.tag_count), 0) as tag_count,
        coalesce(sum(parts.logical_bytes), 0) as logical_bytes,
        coalesce(sum(parts.known_count), 0) as known_count,
        coalesce(sum(parts.unread_count), 0) as unread_count,
        coalesce(sum(parts.uncertain_count), 0) as uncertain_count,
        coalesce(sum(parts.reclaimable_bytes), 0) as reclaimable_bytes
    from intermediate.live_rules as rules
    cross join horizons
    left join parts
        on rules.repository_key = parts.repository_key
        and horizons.within_days >= parts.goes_in_days
    where rules.template is not null
    group by rules.repository_key, horizons.within_days
),

known as (
    select
        *,
        (known_count > 0 or tag_count = 0)
        and try_cast(logical_bytes as bigint) is not null
        and try_cast(reclaimable_bytes as bigint) is not null as is_known
    from totals
),

taken as (
    select
        known.repository_key,
        known.within_days,
        cast(known.tag_count as bigint) as tag_count,
        case when known.is_known then cast(known.reclaimable_bytes as bigint) end
            as reclaimable_bytes,
        basis(
            known.is_known,
            known.uncertain_count > 0,
            known.tag_count > 0 and known.unread_count < reading.unread_count,
            known.tag_count > 0 and reading.is_in_doubt
        ) as reclaimable_basis
    from known
    cross join intermediate.reading
)

select
    repos.registry,
    repos.namespace,
    repos.repository,
    case
        when rules.repository_key is null then 'not_read'
        when rules.outcome <> 'read' then 'refused'
        when rules.detail is not null then 'unreadable'
        when rules.template is null then 'no_rule'
        when ruled.open_tag_count = 0 then 'never_fires'
        else 'rule'
    end as coverage,
    rules.template,
    rules.keeps,
    case when rules.template is not null then coalesce(ruled.live_tag_count, 0) end
        as live_tag_count,
    case when rules.template is not null then coalesce(ruled.excepted_tag_count, 0) end
        as excepted_tag_count,
    ruled.next_in_days,
    next_ones.tag_count as now_tag_count,
    next_ones.reclaimable_bytes as now_reclaimable_bytes,
    next_ones.reclaimable_basis as now_reclaimable_basis,
    week.tag_count as in_7_days_tag_count,
    week.reclaimable_bytes as in_7_days_reclaimable_bytes,
    week.reclaimable_basis as in_7_days_reclaimable_basis,
    month_ahead.tag_count as in_30_days_tag_count,
    month_ahead.reclaimable_bytes as in_30_days_reclaimable_bytes,
    month_ahead.reclaimable_basis as in_30_days_reclaimable_basis,
    rules.detail,
    rules.last_read_at as read_at,
    run.as_of
from intermediate.live_repositories as repos
left join intermediate.live_rules as rules
    on repos.repository_key = rules.repository_key
left join ruled on repos.repository_key = ruled.repository_key
left join taken as next_ones
    on repos.repository_key = next_ones.repository_key
    and next_ones.within_days = 0
left join taken as week
    on repos.repository_key = week.repository_key
    and week.within_days = 7
left join taken as month_ahead
    on repos.repository_key = month_ahead.repository_key
    and month_ahead.within_days = 30
cross join intermediate.latest_run as run
order by repos.repository_key;

comment on table reports.retention_coverage is 'One row per live repository: whether a retention rule of the registry covers it, and what that rule takes if nothing is pushed. Needs SWR_READ_RULES.';
comment on column reports.retention_coverage.registry is 'Short name of the registry.';
comment on column reports.retention_coverage.namespace is 'Namespace (organization).';
comment on column reports.retention_coverage.repository is 'Repository name, with / where it has levels.';
comment on column reports.retention_coverage.coverage is 'rule; never_fires (it has a rule, and each live tag is an exception or has no date that it could go by); no_rule; unreadable (its rule cannot be judged); refused (the registry does not show its rules); not_read.';
comment on column reports.retention_coverage.template is 'Kind of rule in SWR''s words: tag_rule or date_rule; null where no rule can be judged.';
comment on column reports.retention_coverage.keeps is 'Tags or days that the rule keeps.';
comment on column reports.retention_coverage.live_tag_count is 'Live tags of the repository; null where no rule can be judged.';
comment on column reports.retention_coverage.excepted_tag_count is 'Live tags that a selector of the rule excepts.';
comment on column reports.retention_coverage.next_in_days is 'Days until the rule takes a tag if nothing is pushed: 0 at its next execution; null for never.';
comment on column reports.retention_coverage.now_tag_count is 'Live tags that the rule takes at its next execution, as if it were at as_of.';
comment on column reports.retention_coverage.now_reclaimable_bytes is 'What they give back together; null when nothing is known of any.';
comment on column reports.retention_coverage.now_reclaimable_basis is 'exact, lower_bound (something unread or of unknown size may add), upper_bound (something unread may use the same blobs), estimate (both, or something is in doubt) or unknown, for now_reclaimable_bytes.';
comment on column reports.retention_coverage.in_7_days_tag_count is 'The same for executions until 7 days after as_of.';
comment on column reports.retention_coverage.in_7_days_reclaimable_bytes is 'What they give back together; null when nothing is known of any.';
comment on column reports.retention_coverage.in_7_days_reclaimable_basis is 'How far in_7_days_reclaimable_bytes is known.';
comment on column reports.retention_coverage.in_30_days_tag_count is 'The same for executions until 30 days after as_of.';
comment on column reports.retention_coverage.in_30_days_reclaimable_bytes is 'What they give back together; null when nothing is known of any.';
comment on column reports.retention_coverage.in_30_days_reclaimable_basis is 'How far in_30_days_reclaimable_bytes is known.';
comment on column reports.retention_coverage.detail is 'Why the rule cannot be judged or read, in one sentence.';
comment on column reports.retention_coverage.read_at is 'When the rules were last read and were so.';
comment on column reports.retention_coverage.as_of is 'as_of of the latest run.';
