-- Executions of rules that can be judged: the repository was read whole before and after,
-- and the rule is known. Deletions within ten minutes of one another are one execution.
create or replace temp table numbered_deletions as
with timed as (
    select
        *,
        lag(deleted_at) over rule_of_repository as previous_at,
    from new_deletions
    where problem is null
    window rule_of_repository as (
        partition by registry, namespace, repository, retention_id
        order by deleted_at
    )
)

select
    * exclude (previous_at),
    count(
        case
            when previous_at is null or deleted_at > previous_at + interval 10 minutes
                then 1
        end
    ) over (
        partition by registry, namespace, repository, retention_id
        order by deleted_at
    ) as execution_number,
from timed;

create or replace temp table judged_executions as
with executions as (
    select
        registry,
        namespace,
        repository,
        retention_id,
        execution_number,
        min(deleted_at) as executed_at,
    from numbered_deletions
    group by all
),

-- As last read: a rule runs at once when it is saved.
rules as (
    select
        registry,
        namespace,
        repository,
        retention_id,
        arg_max(template, last_read_at) as template,
        arg_max(keeps, last_read_at) as keeps,
        arg_max(tag_selectors, last_read_at) as tag_selectors,
    from ingest.retention_rules
    where template is not null
    group by all
)

select
    executions.*,
    rules.template,
    rules.keeps,
    rules.tag_selectors,
    row_number() over (
        order by namespace, repository, executed_at, retention_id
    ) - 1 as execution_key,
from executions
inner join rules using (registry, namespace, repository, retention_id)
inner join proven_before using (registry, namespace, repository)
inner join staged_crawls using (registry, namespace, repository)
where
    executions.executed_at > proven_before.finished_at
    and staged_crawls.status in ('complete', 'unchanged');
