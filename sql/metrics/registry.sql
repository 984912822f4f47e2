-- The registry as a whole; no row before the first run.
select
    registry,
    tag_count as tags,
    repository_count as repositories,
    logical_bytes,
    deduplicated_bytes,
    exact_size_tag_count as exact_size_tags,
    exact_reclaimable_tag_count as exact_reclaimable_tags,
    epoch(as_of) as as_of_timestamp_seconds,
    epoch(oldest_read_at) as oldest_read_timestamp_seconds
from reports.registry_size
where run_id is not null;
