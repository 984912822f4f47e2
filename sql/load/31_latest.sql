-- The newest version of each record staged for the repositories of this chunk.
create or replace temp table chunk as
select *
from planned_crawls
where chunk = getvariable('chunk');

create or replace temp table latest as
with records as (
    select
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
inner join chunk
    on records.namespace = chunk.namespace
    and records.repository = chunk.repository
where chunk.status <> 'missing'
qualify row_number() over (
    partition by records.namespace, records.repository, records.tag
    order by
        records.updated_at desc nulls last,
        records.state = 'rejected',
        records.arrival desc
) = 1;
