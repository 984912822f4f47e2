-- What all of them would give back together.
select max(registry_reclaimable_bytes) as reclaimable_bytes
from reports.stale_tags;
