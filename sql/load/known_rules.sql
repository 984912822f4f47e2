-- What is known of the retention rules of repositories: what the repository list said when
-- they were last read, and the newest deletion that was read of their log.
with logged as (
    select
        registry,
        namespace,
        repository,
        max(deleted_at) as newest_deleted_at,
    from ingest.retention_log
    group by all
)

select
    rules.namespace,
    rules.repository,
    arg_max(rules.list_entry, rules.last_read_at) as list_entry,
    any_value(logged.newest_deleted_at) as newest_deleted_at,
from ingest.retention_rules as rules
left join logged using (registry, namespace, repository)
group by all
