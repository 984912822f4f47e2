-- What nobody could read, by kind.
select
    registry.registry,
    gaps.kind,
    count(*) as gaps
from reports.gaps as gaps
cross join reports.registry_size as registry
where registry.run_id is not null
group by registry.registry, gaps.kind
order by gaps.kind;
