-- One row per namespace that was ever visible; one that is not visible any more keeps
-- what was last known of it. A run that got no list (failed, not_asked) mends no hole: a cut
-- list stays known as cut, with its error, and names that nobody could read stay counted.
insert into ingest.namespaces by name
select
    registry,
    namespace,
    getvariable('as_of') as first_seen_at,
    getvariable('as_of') as last_seen_at,
    list_status,
    0 as unreadable_repositories,
from staged_namespaces
anti join ingest.namespaces using (registry, namespace)
order by registry, namespace;

update ingest.namespaces
set
    last_seen_at = getvariable('as_of'),
    list_status = if(
        namespaces.list_status = 'incomplete'
        and listed.list_status in ('failed', 'not_asked'),
        namespaces.list_status,
        listed.list_status
    ),
    listed_at = if(
        listed.list_status = 'complete', getvariable('as_of'), namespaces.listed_at
    ),
    unreadable_repositories = if(
        listed.list_status in ('failed', 'not_asked'),
        namespaces.unreadable_repositories,
        listed.unreadable_repositories
    ),
    error = if(
        namespaces.list_status = 'incomplete'
        and listed.list_status in ('failed', 'not_asked'),
        namespaces.error,
        listed.error
    )
from staged_namespaces as listed
where
    namespaces.registry = listed.registry
    and namespaces.namespace = listed.namespace;
