-- One row per manifest a tag points or pointed at and distinct stored blob reachable from
-- it. since_run_key: the run from which on we knew.
create or replace table intermediate.manifest_blobs as
with pairs as (
    select
        reached.root_key,
        statements.blob_key,
        min(reached.since_run_key) as since_run_key
    from intermediate.reached_manifests as reached
    inner join intermediate.blob_statements as statements
        on reached.node_key = statements.manifest_key
    where statements.is_readable
    group by reached.root_key, statements.blob_key
)

select
    pairs.root_key,
    pairs.blob_key,
    case
        when blobs.stored_run_key > pairs.since_run_key then blobs.stored_run_key
        else pairs.since_run_key
    end as since_run_key
from pairs
inner join intermediate.stored_blobs as blobs on pairs.blob_key = blobs.blob_key;
