-- error
-- One row per manifest_digest, position. A bit for each position tells the first 63 apart.
-- The rows of main.layers, without making them all at once.
with listed as (
    select manifest_digest, unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
)

select
    listed.manifest_digest,
    count(*) as row_count
from listed
inner join ingest.layer_prefixes as prefixes on listed.prefix_key = prefixes.prefix_key
group by listed.manifest_digest
having
    count(*)
    <> coalesce(
        bit_count(
            bit_or(case when position between 0 and 62 then 1::bigint << position end)
        ),
        0
    )
    + count(distinct case when position not between 0 and 62 then position end);
