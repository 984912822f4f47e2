-- error
-- Every run begins with the bytes and tags the one before ended with, and the last one
-- ends with those of the registry, where they are known.
with
numbered as (
    select
        *,
        row_number() over (order by as_of desc, run_id desc) as from_last,
        lag(deduplicated_after_bytes, 1, 0) over (order by as_of, run_id)
            as previous_after_bytes,
        lag(tag_count, 1, 0) over (order by as_of, run_id) as previous_tag_count
    from reports.daily_growth
)

select
    numbered.*,
    registry.deduplicated_bytes as registry_bytes,
    registry.tag_count as registry_tag_count
from numbered
cross join reports.registry_size as registry
where
    numbered.deduplicated_before_bytes <> numbered.previous_after_bytes
    or numbered.deduplicated_before_bytes + numbered.added_bytes - numbered.orphaned_bytes
    + numbered.learned_bytes <> numbered.deduplicated_after_bytes
    or numbered.previous_tag_count + numbered.created_count + numbered.restored_count
    - numbered.deleted_count - numbered.forgotten_count <> numbered.tag_count
    or (
        numbered.from_last = 1
        and (
            numbered.deduplicated_after_bytes <> registry.deduplicated_bytes
            or numbered.tag_count <> registry.tag_count
        )
    );
