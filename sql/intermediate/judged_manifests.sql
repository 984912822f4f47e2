-- One row per manifest that a live tag points at: its bytes, what deleting its only tag
-- would give back, and how far these are known.
create or replace table intermediate.judged_manifests as
with live_manifests as (
    select distinct manifest_key from intermediate.tagged_manifests
)

select
    manifests.manifest_key,
    manifests.manifest_digest,
    manifests.manifest_kind,
    sizes.logical_bytes,
    sizes.exclusive_bytes,
    sizes.size_basis,
    basis(
        sizes.is_known,
        sizes.is_exclusive_uncertain,
        cast(sizes.has_unread as integer) < reading.unread_count,
        reading.is_in_doubt
    ) as exclusive_basis
from live_manifests as live
inner join intermediate.manifest_keys as manifests
    on live.manifest_key = manifests.manifest_key
inner join intermediate.manifest_sizes as sizes on live.manifest_key = sizes.manifest_key
cross join intermediate.reading;
