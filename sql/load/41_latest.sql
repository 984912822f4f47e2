-- The newest version of each record staged for the repositories of this chunk.
create or replace temp table chunk as
select *
from planned_crawls
where chunk = getvariable('chunk');

create or replace temp table latest as
with records as (
    select
        registry,
        namespace,
        repository,
        tag,
        updated_at,
        rowid as arrival,
        manifest_digest as fingerprint,
        if(api_deleted_at is null, 'live', 'deleted') as state,
    from staged_tags
    union all
    select
        registry,
        namespace,
        repository,
        record_key as tag,
        updated_at,
        rowid as arrival,
        fingerprint,
        'rejected' as state,
    from staged_counted
)

select records.*
from records
inner join chunk using (registry, namespace, repository)
where not closes_all(chunk.status)
qualify row_number() over (
    partition by
        records.registry, records.namespace, records.repository, records.tag
    order by
        records.updated_at desc nulls last,
        records.state = 'rejected',
        records.arrival desc
) = 1;
