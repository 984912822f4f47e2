-- One row per reference and repository of this registry that it names, live or not, with
-- whether its image does, or only what the runtime says. Hosts are those of pull
-- addresses.
create or replace table intermediate.reference_places as
with
hosts as (
    select distinct registry, lower(split_part(path, '/', 1)) as host
    from main.tags
    where path is not null
    union
    select distinct registry, lower(split_part(internal_path, '/', 1)) as host
    from main.tags
    where internal_path is not null
),

named as (
    select reference, host, namespace, repository, true as is_image
    from intermediate.used_references
    union all
    select
        reference,
        id_host as host,
        id_namespace as namespace,
        id_repository as repository,
        false as is_image
    from intermediate.used_references
)

select
    named.reference,
    hosts.registry,
    named.namespace,
    named.repository,
    bool_or(named.is_image) as is_image
from named
inner join hosts on named.host = hosts.host
group by named.reference, hosts.registry, named.namespace, named.repository;
