-- error
-- A tag is seen exactly where a snapshot is named that shows it, and each is there.
select tag_use.*
from reports.tag_use
left join (select distinct taken_at from ingest.in_use_snapshots) as snapshots
    on tag_use.last_seen_at = snapshots.taken_at
where
    coalesce(tag_use.is_seen, false) <> (snapshots.taken_at is not null)
    or coalesce(tag_use.is_seen, false) <> (tag_use.matched_by is not null)
    or coalesce(tag_use.is_seen, false) <> (tag_use.clusters is not null);
