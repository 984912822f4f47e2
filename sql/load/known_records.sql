-- The last known version of each record of a repository; where a live tag's newest
-- record was rejected, that is the one.
with records as (
    select
        record_key,
        fingerprint,
        updated_at,
        1 as precedence,
    from ingest.counted_records
    where namespace = $namespace and repository = $repository
    union all
    select
        tag as record_key,
        manifest_digest as fingerprint,
        updated_at,
        2 as precedence,
    from tags
    where namespace = $namespace and repository = $repository
)

select
    record_key,
    fingerprint,
    updated_at,
from records
where $keys is null or record_key in (select unnest($keys))
qualify
    row_number() over (
        partition by record_key
        order by precedence
    ) = 1
order by record_key
