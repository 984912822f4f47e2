-- What all stale tags together would give back; without any it is nothing.
select
    registry.registry,
    count(stale.tag) as stale_tags,
    case when count(stale.tag) > 0 then max(stale.registry_reclaimable_bytes) else 0 end
        as stale_reclaimable_bytes
from reports.registry_size as registry
left join reports.stale_tags as stale on registry.registry = stale.registry
where registry.run_id is not null
group by registry.registry;
