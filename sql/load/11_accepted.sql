-- What arrived, beside what is stored under the same digest.
create or replace temp table compared as
with arrived as (
    select
        manifest_digest,
        badness(digest_verified, manifest_kind, manifest_bytes) as badness,
        is_final(digest_verified, manifest_kind) as is_final,
    from arriving_manifests
),

stored as (
    select
        manifest_digest,
        first_seen_at,
        badness(digest_verified, manifest_kind, manifest_bytes) as badness,
    from manifests
    where manifest_digest in (select manifest_digest from arrived)
)

select
    arrived.manifest_digest,
    stored.first_seen_at,
    stored.manifest_digest is null
    or arrived.badness < stored.badness
    or getvariable('is_reread') as is_better,
    arrived.badness = stored.badness and not arrived.is_final as is_tied,
from arrived
left join stored on arrived.manifest_digest = stored.manifest_digest;

-- The texts to store: those of digests that are new, or better than the stored text.
-- Only ties are worth reading texts for, which may be large: few digests are tied.
create or replace temp table accepted as
with lesser as (
    select compared.*
    from compared
    inner join manifests as known on compared.manifest_digest = known.manifest_digest
    inner join arriving_manifests as arriving
        on compared.manifest_digest = arriving.manifest_digest
    where compared.is_tied and arriving.manifest < known.manifest
),

final as (
    from compared where is_better
    union all
    from lesser
)

select
    manifest_digest,
    first_seen_at,
from final;

create or replace temp table replaced as
select manifest_digest
from accepted
where first_seen_at is not null;
