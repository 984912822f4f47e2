-- One row per reference of whose digests no live tag has any, and tag that left one: in
-- the repositories that it names, or else in any; of several the last to leave.
create or replace table intermediate.left_matches as
with
lost as (
    select digests.reference, digests.digest
    from intermediate.reference_digests as digests
    left join intermediate.reference_matches as matches
        on digests.reference = matches.reference and matches.way < 7
    where matches.reference is null
),

ended as (
    select
        lost.reference,
        lost.digest,
        history.registry,
        history.namespace,
        history.repository,
        history.tag,
        history.valid_to as left_at,
        row_number() over (
            partition by lost.reference
            order by
                case when places.reference is null then 1 else 0 end,
                history.valid_to desc,
                history.registry,
                history.namespace,
                history.repository,
                history.tag,
                lost.digest
        ) as place
    from lost
    inner join intermediate.digest_carriers as carriers on lost.digest = carriers.digest
    inner join main.tag_history as history
        on carriers.manifest_digest = history.manifest_digest
    left join intermediate.reference_places as places
        on lost.reference = places.reference
        and history.registry = places.registry
        and history.namespace = places.namespace
        and history.repository = places.repository
    where history.valid_to is not null
)

select reference, digest, registry, namespace, repository, tag, left_at
from ended
where place = 1;
