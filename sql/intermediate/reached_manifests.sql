-- One row per manifest a tag points at, or did until a new run (root), and manifest
-- reachable from it (itself, children of an index to any depth). since_run_key: the run
-- from which on every manifest of the way was known; null where the way ends at one never
-- read.
-- The union drops rows met before, so an index that contains itself ends the walk.
create or replace table intermediate.reached_manifests as
with recursive
pointed_at as (
    select manifest_key from intermediate.aged_tags
    union
    select manifest_key from intermediate.history_runs where manifest_key is not null
),

children as (
    select distinct
        indexes.manifest_key as index_key,
        manifests.manifest_key as child_key,
        manifests.first_run_key
    from main.platforms
    inner join intermediate.manifest_keys as indexes
        on platforms.index_digest = indexes.manifest_digest
        and indexes.is_readable
    inner join intermediate.manifest_keys as manifests
        on platforms.manifest_digest = manifests.manifest_digest
    where not coalesce(platforms.is_blob, false)
),

walk as (
    select
        manifests.manifest_key as root_key,
        manifests.manifest_key as node_key,
        manifests.first_run_key as since_run_key
    from pointed_at
    inner join intermediate.manifest_keys as manifests
        on pointed_at.manifest_key = manifests.manifest_key
    union
    select
        walk.root_key,
        children.child_key as node_key,
        case
            when children.first_run_key > walk.since_run_key then children.first_run_key
            when children.first_run_key is not null then walk.since_run_key
        end as since_run_key
    from walk
    inner join children on walk.node_key = children.index_key
)

select root_key, node_key, min(since_run_key) as since_run_key
from walk
group by root_key, node_key;
