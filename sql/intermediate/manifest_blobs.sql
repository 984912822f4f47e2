-- One row per manifest a tag points or pointed at and distinct stored blob reachable from
-- it. since_run_key: the run from which on we knew.
create or replace temp table manifest_blobs as
with
reached as (select * from reached_manifests),
statements as (select * from blob_statements where is_readable),
blobs as (select * from stored_blobs),

pairs as (
    select
        reached.root_key,
        statements.blob_key,
        min(reached.since_run_key) as since_run_key
    from reached
    inner join statements on reached.node_key = statements.manifest_key
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
inner join blobs on pairs.blob_key = blobs.blob_key;
