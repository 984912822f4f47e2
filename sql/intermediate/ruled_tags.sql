-- One row per live tag of a repository with a retention rule that can be judged: whether
-- the rule may ever take it (is_open), and after how many days it does if nothing is
-- pushed. By the documented reading: exceptions first, then tags by updated_at, or days
-- of 24 hours.
create or replace table intermediate.ruled_tags as
with selectors as (
    select repos.repository_key, listed.kind, listed.pattern
    from ingest.retention_selectors as listed
    inner join intermediate.live_repositories as repos
        on listed.registry = repos.registry
        and listed.namespace = repos.namespace
        and listed.repository = repos.repository
),

-- Each name is tried once for each pattern, in however many repositories both are.
names as (
    select distinct tags.tag, selectors.kind, selectors.pattern
    from intermediate.live_tags as tags
    inner join selectors on tags.repository_key = selectors.repository_key
),

selected as (
    select tag, kind, pattern
    from names
    where
        case
            when kind = 'label' then tag = pattern
            else regexp_matches(tag, pattern)
        end
),

excepted as (
    select distinct tags.tag_key
    from intermediate.live_tags as tags
    inner join selectors on tags.repository_key = selectors.repository_key
    inner join selected
        on tags.tag = selected.tag
        and selectors.kind = selected.kind
        and selectors.pattern = selected.pattern
),

placed as (
    select
        tags.tag_key,
        tags.repository_key,
        tags.manifest_key,
        rules.template,
        rules.keeps,
        excepted.tag_key is not null as is_excepted,
        case
            when tags.known_updated_at > run.as_of then -1
            else tags.updated_age_days
        end as age_days,
        row_number() over (
            partition by tags.repository_key, excepted.tag_key is null
            order by tags.updated_at desc, tags.tag_key
        ) as newest_rank
    from intermediate.live_tags as tags
    inner join intermediate.live_rules as rules
        on tags.repository_key = rules.repository_key
    left join excepted on tags.tag_key = excepted.tag_key
    cross join intermediate.latest_run as run
    where rules.template is not null
)

select
    tag_key,
    repository_key,
    manifest_key,
    is_excepted,
    not is_excepted and (template = 'tag_rule' or age_days is not null) as is_open,
    case
        when is_excepted then null
        when template = 'tag_rule' then case when newest_rank > keeps then 0 end
        when age_days < keeps then keeps - age_days
        when age_days >= keeps then 0
    end as goes_in_days
from placed;
