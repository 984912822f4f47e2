-- One row per distinct reference of the snapshots that count, with its parts.
create or replace table intermediate.used_references as
select distinct
    kept.reference,
    kept.host,
    kept.namespace,
    kept.repository,
    kept.tag,
    kept.digest,
    kept.id_host,
    kept.id_namespace,
    kept.id_repository,
    kept.id_digest,
    kept.is_readable
from intermediate.kept_references as kept
inner join intermediate.used_snapshots as snapshots
    on kept.snapshot_id = snapshots.snapshot_id;
