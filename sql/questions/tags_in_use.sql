-- One row per live tag and cluster that it was seen in, with when it was last.
select tag_key, cluster, last_seen_at, container_count
from intermediate.tag_uses
order by tag_key, cluster;
