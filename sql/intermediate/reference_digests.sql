-- One row per reference that may be of this registry and digest in it: it names one of
-- its hosts, or none at all.
create or replace table intermediate.reference_digests as
with pairs as (
    select reference, host, id_host, digest
    from intermediate.used_references
    where digest is not null
    union
    select reference, host, id_host, id_digest as digest
    from intermediate.used_references
    where id_digest is not null
)

select distinct pairs.reference, pairs.digest
from pairs
left join intermediate.reference_places as places on pairs.reference = places.reference
where
    places.reference is not null or (pairs.host is null and pairs.id_host is null);
