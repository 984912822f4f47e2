-- One row per live repository whose retention rules were asked for: the latest answer.
create or replace table intermediate.live_rules as
with latest as (
    select registry, namespace, repository, max(last_read_at) as last_read_at
    from ingest.retention_rules
    group by registry, namespace, repository
)

select
    repos.repository_key,
    rules.outcome,
    rules.template,
    rules.keeps,
    coalesce(rules.problem, rules.error) as detail,
    rules.last_read_at
from ingest.retention_rules as rules
inner join latest
    on rules.registry = latest.registry
    and rules.namespace = latest.namespace
    and rules.repository = latest.repository
    and rules.last_read_at = latest.last_read_at
inner join intermediate.live_repositories as repos
    on rules.registry = repos.registry
    and rules.namespace = repos.namespace
    and rules.repository = repos.repository;
