-- One row per reference of the snapshots of `asked`: what it is in the registry, or why it
-- is nothing there.
select
    kept.image,
    kept.image_id,
    kept.found_in,
    kept.container_count,
    judged.matched_by,
    judged.reason,
    judged.namespace,
    judged.repository,
    judged.tag,
    judged.tag_count,
    judged.left_at
from asked
inner join intermediate.kept_references as kept on asked.snapshot_id = kept.snapshot_id
inner join intermediate.judged_references as judged on kept.reference = judged.reference
order by kept.found_in, kept.image, kept.image_id;
