-- What happened to the tags of this chunk, by their open intervals. A tag whose record
-- was rejected stays as it is.
create or replace temp table changes as
with known as (
    select
        tag_history.registry,
        tag_history.namespace,
        tag_history.repository,
        tag_history.tag,
        tag_history.manifest_digest,
        tag_history.change,
    from tag_history
    semi join chunk using (registry, namespace, repository)
    where tag_history.valid_to is null
),

compared as (
    select
        registry,
        namespace,
        repository,
        tag,
        latest.fingerprint,
        case
            when latest.state = 'live' and known.change is null then 'created'
            when latest.state = 'live' and known.change = 'deleted' then 'restored'
            when
                latest.state = 'live'
                and known.manifest_digest <> latest.fingerprint
                then 'moved'
            when known.change <> 'deleted' and latest.state = 'deleted' then 'deleted'
            when known.change <> 'deleted' and latest.state is null then 'gone'
        end as change,
    from latest
    full join known using (registry, namespace, repository, tag)
),

final as (
    select
        registry,
        namespace,
        repository,
        compared.tag,
        if(compared.change = 'gone', 'deleted', compared.change) as change,
        if(compared.change in ('gone', 'deleted'), null, compared.fingerprint)
            as manifest_digest,
        chunk.seen_at,
        chunk.seen_at_earliest,
    from compared
    inner join chunk using (registry, namespace, repository)
    where
        compared.change is not null
        and (compared.change <> 'gone' or chunk.infers_deletions)
)

select *
from final;
