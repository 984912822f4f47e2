-- What happened to the tags of this chunk, by their open intervals. A tag whose record
-- was rejected stays as it is. Of a repository made anew every known tag is deleted, and
-- every live one created in the same moment: its deletion is followed (is_followed).
create or replace temp table changes as
with known as (
    select
        tag_history.registry,
        tag_history.namespace,
        tag_history.repository,
        tag_history.tag,
        tag_history.manifest_digest,
        tag_history.change,
        is_live(tag_history.change) as is_live,
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
        coalesce(latest.state = 'live', false) as is_there,
        coalesce(known.is_live, false) as was_there,
        chunk.is_new,
        chunk.seen_at,
        chunk.seen_at_earliest,
        case
            when latest.state = 'live' and (chunk.is_new or known.change is null)
                then 'created'
            when chunk.is_new then null
            when latest.state = 'live' and not known.is_live then 'restored'
            when
                latest.state = 'live'
                and known.manifest_digest <> latest.fingerprint
                then 'moved'
            when known.is_live and chunk.status = 'forgotten' then 'forgotten'
            when known.is_live and latest.state = 'deleted' then 'deleted'
            when known.is_live and latest.state is null and chunk.infers_deletions
                then 'deleted'
        end as change,
    from latest
    full join known using (registry, namespace, repository, tag)
    inner join chunk using (registry, namespace, repository)
),

final as (
    select
        registry,
        namespace,
        repository,
        tag,
        change,
        if(is_live(change), fingerprint, null) as manifest_digest,
        seen_at,
        seen_at_earliest,
        false as is_followed,
    from compared
    where change is not null
    union all
    select
        registry,
        namespace,
        repository,
        tag,
        'deleted' as change,
        null as manifest_digest,
        seen_at,
        seen_at_earliest,
        is_there as is_followed,
    from compared
    where is_new and was_there
)

select *
from final;
