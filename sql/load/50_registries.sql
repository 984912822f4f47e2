-- The registry that this run read; an account once known stays known.
insert into registries by name
select
    staged_registries.*,
    getvariable('as_of') as first_seen_at,
    getvariable('as_of') as last_seen_at,
from staged_registries
anti join registries using (registry);

update registries
set
    region = coalesce(read.region, registries.region),
    domain = coalesce(registries.domain, read.domain),
    last_seen_at = getvariable('as_of')
from staged_registries as read
where registries.registry = read.registry;
