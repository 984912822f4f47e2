-- The texts to store: one a digest, if it is new or better than the stored one.
create or replace temp table arrived as
with repeated as (
    select manifest_digest
    from arriving_manifests
    group by manifest_digest
    having count(*) > 1
),

in_order as (
    select
        row_number() over () as arrival,
        *,
    from arriving_manifests
)

select
    arrival,
    manifest_digest,
    manifest_kind,
    digest_verified,
    layer_count,
    badness(digest_verified, manifest_kind, manifest_bytes) as badness,
    -- Other texts are only read for ties with stored ones.
    if(manifest_digest in (from repeated), manifest, null) as rival_text,
from in_order;

create or replace temp table accepted as
with stored as (
    select
        manifest_digest,
        first_seen_at,
        badness(digest_verified, manifest_kind, manifest_bytes) as badness,
    from manifests
    where manifest_digest in (select manifest_digest from arrived)
),

best as (
    select *
    from arrived
    where rival_text is null
    union all
    select *
    from arrived
    where rival_text is not null
    qualify row_number() over (
        partition by manifest_digest
        order by badness, rival_text, arrival
    ) = 1
),

compared as (
    select
        best.arrival,
        best.manifest_digest,
        best.rival_text is null as is_alone,
        stored.first_seen_at,
        stored.manifest_digest is null or best.badness < stored.badness as is_better,
        best.badness = stored.badness
        and not is_settled(best.digest_verified, best.manifest_kind) as is_tied,
    from best
    left join stored on best.manifest_digest = stored.manifest_digest
),

tied as (
    from compared where is_tied
),

lesser as (
    select tied.*
    from tied
    inner join manifests on tied.manifest_digest = manifests.manifest_digest
    inner join (
        select
            row_number() over () as arrival,
            manifest,
        from arriving_manifests
    ) as arriving
        on tied.arrival = arriving.arrival
    where arriving.manifest < manifests.manifest
),

final as (
    from compared where is_better
    union all
    from lesser
)

select
    arrival,
    manifest_digest,
    is_alone,
    first_seen_at,
from final;

create or replace temp table replaced as
select manifest_digest
from accepted
where first_seen_at is not null;
