-- One row per live tag and cluster in whose snapshots it was seen: how surely, when last,
-- and by how many containers of the latest.
create or replace table intermediate.tag_uses as
select
    matches.tag_key,
    snapshots.cluster,
    min(matches.way) as way,
    max(snapshots.taken_at) as last_seen_at,
    cast(
        sum(case when snapshots.is_latest then kept.container_count else 0 end) as bigint
    ) as container_count
from intermediate.reference_matches as matches
inner join intermediate.kept_references as kept on matches.reference = kept.reference
inner join intermediate.used_snapshots as snapshots
    on kept.snapshot_id = snapshots.snapshot_id
group by matches.tag_key, snapshots.cluster;
