-- One row per blob of crowded_uses, namespace and run that changed which of its
-- repositories use the blob: how many do after it, and how many more that is.
create or replace table intermediate.namespace_counts as
with
turns as (
    select blob_key, namespace_place, from_run_key as run_key, 1 as difference
    from intermediate.crowded_uses
    union all
    select blob_key, namespace_place, to_run_key as run_key, -1 as difference
    from intermediate.crowded_uses
    where to_run_key is not null
),

differences as (
    select blob_key, namespace_place, run_key, sum(difference) as difference
    from turns
    group by blob_key, namespace_place, run_key
)

select
    blob_key,
    namespace_place,
    run_key,
    difference,
    sum(difference) over (partition by blob_key, namespace_place order by run_key)
        as repository_count
from differences;
