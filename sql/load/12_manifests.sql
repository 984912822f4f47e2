-- Replaced texts go with their parts; the digest stays as old as it is.
delete from manifests using replaced
where manifests.manifest_digest = replaced.manifest_digest;

delete from layers using replaced
where layers.manifest_digest = replaced.manifest_digest;

delete from platforms using replaced
where platforms.index_digest = replaced.manifest_digest;

insert into manifests
with in_order as (
    select
        row_number() over () as arrival,
        *,
    from arriving_manifests
)

select
    in_order.* exclude (arrival),
    coalesce(accepted.first_seen_at, getvariable('as_of')) as first_seen_at,
from in_order
inner join accepted on in_order.arrival = accepted.arrival;
