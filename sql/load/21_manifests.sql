-- Replaced texts go with their parts; the digest stays as old as it is.
delete from manifests using replaced
where manifests.manifest_digest = replaced.manifest_digest;

delete from ingest.manifest_prefixes using replaced
where manifest_prefixes.manifest_digest = replaced.manifest_digest;

delete from platforms using replaced
where platforms.index_digest = replaced.manifest_digest;

insert into manifests
select
    arriving.*,
    coalesce(accepted.first_seen_at, getvariable('as_of')) as first_seen_at,
from arriving_manifests as arriving
inner join accepted on arriving.manifest_digest = accepted.manifest_digest;
