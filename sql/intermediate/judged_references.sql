-- One row per distinct reference: what it was matched by, and a tag that it is, or was
-- when one left its digest; or the reason why it matches nothing.
create or replace table intermediate.judged_references as
with
ways as (
    select reference, min(way) as way, count(*) as tag_count
    from intermediate.reference_matches
    group by reference
),

firsts as (
    select ways.reference, ways.way, ways.tag_count, min(matches.tag_key) as tag_key
    from ways
    inner join intermediate.reference_matches as matches
        on ways.reference = matches.reference and ways.way = matches.way
    group by ways.reference, ways.way, ways.tag_count
),

named as (
    select
        places.reference,
        bool_or(repos.repository_key is not null) as is_known
    from intermediate.reference_places as places
    left join intermediate.live_repositories as repos
        on places.registry = repos.registry
        and places.namespace = repos.namespace
        and places.repository = repos.repository
    group by places.reference
),

gone as (
    select distinct used.reference
    from intermediate.used_references as used
    inner join intermediate.reference_places as places
        on used.reference = places.reference and places.is_image
    inner join main.tag_history as history
        on places.registry = history.registry
        and places.namespace = history.namespace
        and places.repository = history.repository
        and used.tag = history.tag
)

select
    used.reference,
    case
        when firsts.reference is not null then matched_by(firsts.way)
        when last_left.reference is not null then 'history'
    end as matched_by,
    case
        when firsts.reference is not null or last_left.reference is not null then null
        when not used.is_readable then 'unreadable'
        when named.reference is null and coalesce(used.host, used.id_host) is not null
            then 'other_host'
        when named.reference is not null and not named.is_known then 'unknown_repository'
        when coalesce(used.digest, used.id_digest) is not null then 'unknown_digest'
        when gone.reference is not null then 'deleted_tag'
        else 'unknown_tag'
    end as reason,
    coalesce(firsts.tag_count, 0) as tag_count,
    coalesce(tags.registry, last_left.registry) as registry,
    coalesce(tags.namespace, last_left.namespace) as namespace,
    coalesce(tags.repository, last_left.repository) as repository,
    coalesce(tags.tag, last_left.tag) as tag,
    case when firsts.reference is null then last_left.left_at end as left_at
from intermediate.used_references as used
left join firsts on used.reference = firsts.reference
left join intermediate.aged_tags as tags on firsts.tag_key = tags.tag_key
left join intermediate.left_matches as last_left on used.reference = last_left.reference
left join named on used.reference = named.reference
left join gone on used.reference = gone.reference;
