-- One row per reference and live tag that it is held to use, with the way it was found,
-- the surest first: 1 to 3 its digest is the tag's, a child's of its index, that of a
-- configuration, in a repository that the reference names; 4 to 6 the same in another; 7
-- name and tag. Only the surest of the first six counts. A name counts beside it, for the
-- next start asks for that, unless a digest stands with it.
create or replace table intermediate.reference_matches as
with
carried as (
    select
        digests.reference,
        tags.tag_key,
        min(carriers.step + case when places.reference is null then 3 else 0 end) as way
    from intermediate.reference_digests as digests
    inner join intermediate.digest_carriers as carriers
        on digests.digest = carriers.digest
    inner join intermediate.manifest_keys as manifests
        on carriers.manifest_digest = manifests.manifest_digest
    inner join intermediate.aged_tags as tags
        on manifests.manifest_key = tags.manifest_key
    left join intermediate.reference_places as places
        on digests.reference = places.reference
        and tags.registry = places.registry
        and tags.namespace = places.namespace
        and tags.repository = places.repository
    group by digests.reference, tags.tag_key
),

surest as (
    select reference, min(way) as way from carried group by reference
),

found as (
    select carried.reference, carried.tag_key, carried.way
    from carried
    inner join surest
        on carried.reference = surest.reference and carried.way = surest.way
    union all
    select used.reference, tags.tag_key, 7 as way
    from intermediate.used_references as used
    inner join intermediate.reference_places as places
        on used.reference = places.reference
        and used.namespace = places.namespace
        and used.repository = places.repository
        and places.is_image
    inner join intermediate.aged_tags as tags
        on places.registry = tags.registry
        and places.namespace = tags.namespace
        and places.repository = tags.repository
        and used.tag = tags.tag
    left join surest on used.reference = surest.reference
    where used.digest is null or surest.reference is null
)

select reference, tag_key, min(way) as way
from found
group by reference, tag_key;
