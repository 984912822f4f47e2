-- One row per scope (the registry, each live repository), kind of rule and number from
-- which on it keeps something more: what a retention rule without selectors that keeps so
-- many tags or days would delete and give back, in this scope alone.
create or replace table reports.retention_curve as
with
running as (
    select
        scope_key,
        template,
        cast(goes_at + 1 as integer) as keeps,
        coalesce(sum(tag_count) over larger, 0) as tag_count,
        coalesce(sum(logical_bytes) over larger, 0) as logical_bytes,
        coalesce(sum(known_count) over larger, 0) as known_count,
        coalesce(sum(unread_count) over larger, 0) as unread_count,
        coalesce(sum(uncertain_count) over larger, 0) as uncertain_count,
        coalesce(sum(reclaimable_bytes) over larger, 0) as reclaimable_bytes
    from intermediate.curve_parts
    window larger as (
        partition by scope_key, template
        order by goes_at desc
        rows between unbounded preceding and 1 preceding
    )
),

judged as (
    select
        *,
        (known_count > 0 or tag_count = 0)
        and try_cast(logical_bytes as bigint) is not null
        and try_cast(reclaimable_bytes as bigint) is not null as is_known
    from running
    where keeps <= case template when 'tag_rule' then 1000 else 365 end
)

select
    run.registry,
    case when repos.repository_key is null then 'registry' else 'repository' end
        as scope,
    repos.namespace,
    repos.repository,
    judged.template,
    judged.keeps,
    cast(judged.tag_count as bigint) as deleted_tag_count,
    case when judged.is_known then cast(judged.reclaimable_bytes as bigint) end
        as reclaimable_bytes,
    basis(
        judged.is_known,
        judged.uncertain_count > 0,
        judged.tag_count > 0 and judged.unread_count < reading.unread_count,
        judged.tag_count > 0 and reading.is_in_doubt
    ) as reclaimable_basis,
    run.as_of
from judged
left join intermediate.live_repositories as repos
    on judged.scope_key = repos.repository_key
cross join intermediate.reading
cross join intermediate.latest_run as run
order by judged.scope_key, judged.template, judged.keeps;

comment on table reports.retention_curve is 'One row per scope (the registry, each live repository), kind of rule and number from which on it keeps something more: what a retention rule without selectors would delete and give back. Between two rows the lower one holds.';
comment on column reports.retention_curve.registry is 'Short name of the registry.';
comment on column reports.retention_curve.scope is 'repository, or registry: the same rule for every repository.';
comment on column reports.retention_curve.namespace is 'Namespace (organization); null for the registry.';
comment on column reports.retention_curve.repository is 'Repository name, with / where it has levels; null for the registry.';
comment on column reports.retention_curve.template is 'Kind of rule in SWR''s words: tag_rule keeps the newest tags by updated_at, date_rule those updated within so many days of 24 hours.';
comment on column reports.retention_curve.keeps is 'Tags of each repository (1 to 1000) or days (1 to 365) that the rule keeps; up to the next row the same goes.';
comment on column reports.retention_curve.deleted_tag_count is 'Live tags that the rule would delete.';
comment on column reports.retention_curve.reclaimable_bytes is 'What would be given back if they were deleted together; null when nothing is known of any.';
comment on column reports.retention_curve.reclaimable_basis is 'exact, lower_bound (something unread or of unknown size may add), upper_bound (something unread may use the same blobs), estimate (both, or something is in doubt) or unknown, for reclaimable_bytes.';
comment on column reports.retention_curve.as_of is 'The moment the rule would act: as_of of the latest run.';
