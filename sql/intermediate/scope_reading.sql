-- One row per scope (the registry with scope_key 0, each namespace, each repository):
-- unread_count is how many repositories and namespaces may hold more than is known, apart
-- from the parts of their live tags. is_in_doubt: what is known of one may be over.
-- oldest_read_at: when the one proven longest ago was, of those ever proven.
create or replace table intermediate.scope_reading as
with
repos as (
    select
        repos.namespace_key,
        repos.repository_key,
        repos.read_at,
        coalesce(bool_or(gaps.is_unread), false) as is_unread,
        coalesce(bool_or(gaps.is_in_doubt), false) as is_in_doubt
    from intermediate.live_repositories as repos
    left join intermediate.repository_gaps as gaps
        on repos.repository_key = gaps.repository_key
    group by repos.namespace_key, repos.repository_key, repos.read_at
),

places as (
    select * from repos
    union all
    select
        namespace_key,
        null as repository_key,
        null as read_at,
        true as is_unread,
        false as is_in_doubt
    from intermediate.namespace_gaps
),

scoped as (
    select 'repository' as scope, repository_key as scope_key, * from places
    union all
    select 'namespace' as scope, namespace_key as scope_key, * from places
    union all
    select 'registry' as scope, 0 as scope_key, * from places
    union all
    select
        'registry' as scope,
        0 as scope_key,
        null as namespace_key,
        null as repository_key,
        null as read_at,
        false as is_unread,
        false as is_in_doubt
)

select
    scope,
    scope_key,
    sum(case when is_unread then 1 else 0 end) as unread_count,
    bool_or(is_in_doubt) as is_in_doubt,
    min(read_at) as oldest_read_at
from scoped
where scope_key is not null
group by scope, scope_key;
