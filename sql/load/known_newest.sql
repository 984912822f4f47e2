-- The last known version of the newest records of each repository held for alive: $least of
-- them, and all that were updated in the same second as the newest. Their order is that of
-- the repositories.
with records as (
    select
        namespace,
        repository,
        record_key,
        fingerprint,
        updated_at,
    from ingest.counted_records
    union all
    select
        tags.namespace,
        tags.repository,
        tags.tag as record_key,
        tags.manifest_digest as fingerprint,
        tags.updated_at,
    from tags
    anti join ingest.counted_records as counted
        on
        tags.registry = counted.registry
        and tags.namespace = counted.namespace
        and tags.repository = counted.repository
        and tags.tag = counted.record_key
)

select
    namespace,
    repository,
    record_key,
    fingerprint,
    updated_at,
from records
qualify
    row_number() over (
        partition by namespace, repository
        order by updated_at desc nulls last, record_key
    ) <= $least
    or date_trunc('second', updated_at)
    = date_trunc('second', max(updated_at) over (partition by namespace, repository))
order by namespace, repository
