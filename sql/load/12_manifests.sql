-- Replaced texts go with their parts; the digest stays as old as it is.
delete from manifests using replaced
where manifests.manifest_digest = replaced.manifest_digest;

delete from layers using replaced
where layers.manifest_digest = replaced.manifest_digest;

delete from platforms using replaced
where platforms.index_digest = replaced.manifest_digest;

insert into manifests
select
    arrived.* exclude (arrival, badness),
    coalesce(accepted.first_seen_at, getvariable('as_of')) as first_seen_at,
from arrived
inner join accepted on arrived.arrival = accepted.arrival
order by arrived.arrival;
