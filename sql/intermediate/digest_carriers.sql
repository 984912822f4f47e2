-- One row per digest that references name and manifest that carries it, with the step it
-- takes at least: 1 the manifest's own, 2 a child's of an index, to any depth, 3 the
-- configuration's of either.
-- The union drops rows met before, so an index that contains itself ends the walk.
create or replace table intermediate.digest_carriers as
with recursive
starts as (
    select digest, digest as manifest_digest, 1 as step
    from intermediate.reference_digests
    union
    select digests.digest, manifests.manifest_digest, 3 as step
    from intermediate.reference_digests as digests
    inner join main.manifests on digests.digest = manifests.config_digest
),

walk as (
    select digest, manifest_digest, step from starts
    union
    select
        walk.digest,
        platforms.index_digest as manifest_digest,
        case when walk.step = 1 then 2 else walk.step end as step
    from walk
    inner join main.platforms on walk.manifest_digest = platforms.manifest_digest
    where not coalesce(platforms.is_blob, false)
)

select digest, manifest_digest, min(step) as step
from walk
group by digest, manifest_digest;
