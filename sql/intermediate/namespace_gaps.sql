-- One row per visible namespace of which not every repository is known. namespace_key is
-- null where none is.
create or replace table intermediate.namespace_gaps as
with
keys as (
    select distinct registry, namespace, namespace_key from intermediate.live_repositories
),

listed as (
    select max(last_seen_at) as last_seen_at from ingest.namespaces
)

select
    namespaces.registry,
    namespaces.namespace,
    keys.namespace_key,
    case
        when namespaces.error is not null then namespaces.error
        when namespaces.listed_at is null then 'its repositories were never listed'
        when namespaces.list_status = 'incomplete' then 'its list of repositories is cut'
        else namespaces.unreadable_repositories || ' repositories without a readable name'
    end as detail,
    coalesce(namespaces.listed_at, namespaces.first_seen_at) as since
from ingest.namespaces
inner join listed on namespaces.last_seen_at = listed.last_seen_at
left join keys
    on namespaces.registry = keys.registry and namespaces.namespace = keys.namespace
where
    namespaces.listed_at is null
    or namespaces.list_status = 'incomplete'
    or namespaces.unreadable_repositories > 0;
