-- One row per judged execution and tag that was there: as it was read afterwards, if it was
-- not pushed since, or else as it was known before. Whether the rule deleted a tag is known
-- (is_sure) if the log names it, now or later, or if it is still there.
with held_since as (
    select
        executions.execution_key,
        tags.tag,
        tags.manifest_digest,
        tags.created_at,
        tags.updated_at,
    from judged_executions as executions
    inner join tags using (registry, namespace, repository)
    where tags.updated_at <= executions.executed_at
),

held_before as (
    select
        executions.execution_key,
        earlier.tag,
        earlier.manifest_digest,
        earlier.created_at,
        earlier.updated_at,
    from judged_executions as executions
    inner join tags_before as earlier using (registry, namespace, repository)
    anti join held_since
        on
        executions.execution_key = held_since.execution_key
        and earlier.tag = held_since.tag
    anti join numbered_deletions as deletions
        on
        executions.registry = deletions.registry
        and executions.namespace = deletions.namespace
        and executions.repository = deletions.repository
        and earlier.tag = deletions.tag
        and executions.executed_at > deletions.deleted_at
),

held as (
    select * from held_since
    union all
    select * from held_before
),

logged as (
    select
        executions.execution_key,
        deletions.tag,
        bool_or(
            deletions.retention_id = executions.retention_id
            and deletions.execution_number = executions.execution_number
        ) as is_logged,
    from judged_executions as executions
    inner join numbered_deletions as deletions
        using (registry, namespace, repository)
    where deletions.deleted_at >= executions.executed_at
    group by all
)

select
    held.*,
    known_date(held.created_at, executions.executed_at) as known_created_at,
    known_date(held.updated_at, executions.executed_at) as known_updated_at,
    executions.executed_at,
    coalesce(logged.is_logged, false) as is_logged,
    logged.tag is not null or tags.tag is not null as is_sure,
from held
inner join judged_executions as executions using (execution_key)
left join logged
    on
    held.execution_key = logged.execution_key
    and held.tag = logged.tag
left join tags
    on
    executions.registry = tags.registry
    and executions.namespace = tags.namespace
    and executions.repository = tags.repository
    and held.tag = tags.tag
order by held.execution_key, held.tag
