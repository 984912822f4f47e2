-- error
-- One row per manifest_digest, position. A bit for each position tells the first 63 apart.
select
    manifest_digest,
    count(*) as row_count
from main.layers
group by manifest_digest
having
    count(*)
    <> coalesce(
        bit_count(
            bit_or(case when position between 0 and 62 then 1::bigint << position end)
        ),
        0
    )
    + count(distinct case when position not between 0 and 62 then position end);
