-- One row per manifest a tag points or pointed at (root) and manifest reachable from it
-- (itself, children of an index to any depth). since_run_key: the run from which on every
-- manifest of the way was known; null where the way ends at one never read.
-- The union drops rows met before, so an index that contains itself ends the walk.
create or replace temp table reached_manifests as
with recursive
tags as (select * from main.tags),
history as (select * from main.tag_history),
platforms as (select * from main.platforms),
manifests as (select * from manifest_keys),

pointed_at as (
    select manifest_digest from tags
    union
    select manifest_digest from history where manifest_digest is not null
),

roots as (
    select manifests.manifest_key, manifests.first_run_key
    from pointed_at
    inner join manifests on pointed_at.manifest_digest = manifests.manifest_digest
),

children as (
    select distinct
        indexes.manifest_key as index_key,
        children.manifest_key as child_key,
        children.first_run_key
    from platforms
    inner join manifests as indexes
        on platforms.index_digest = indexes.manifest_digest
        and indexes.is_readable
    inner join manifests as children
        on platforms.manifest_digest = children.manifest_digest
),

walk as (
    select
        manifest_key as root_key,
        manifest_key as node_key,
        first_run_key as since_run_key
    from roots
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
