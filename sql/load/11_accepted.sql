-- The texts to store: one a digest, if it is new or better than the stored one.
create or replace temp table arrived as
select
    row_number() over () as arrival,
    *,
    badness(digest_verified, manifest_kind, manifest_bytes) as badness,
from arriving_manifests;

create or replace temp table accepted as
with stored as (
    select
        manifest_digest,
        first_seen_at,
        badness(digest_verified, manifest_kind, manifest_bytes) as badness,
    from manifests
),

best as (
    select *
    from arrived
    qualify row_number() over (
        partition by manifest_digest
        order by badness, manifest, arrival
    ) = 1
),

compared as (
    select
        best.arrival,
        best.manifest_digest,
        best.manifest,
        stored.first_seen_at,
        stored.manifest_digest is null or best.badness < stored.badness as is_better,
        best.badness = stored.badness
        and not is_settled(best.digest_verified, best.manifest_kind) as is_tied,
    from best
    left join stored on best.manifest_digest = stored.manifest_digest
),

-- Apart, so that stored texts are read for ties only.
lesser as (
    select compared.*
    from compared
    inner join manifests
        on compared.manifest_digest = manifests.manifest_digest
    where compared.is_tied and compared.manifest < manifests.manifest
),

final as (
    from compared where is_better
    union all
    from lesser
)

select
    arrival,
    manifest_digest,
    first_seen_at,
from final;

create or replace temp table replaced as
select manifest_digest
from accepted
where first_seen_at is not null;
