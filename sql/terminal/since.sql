-- From when on growth is told: seven days before the latest run, or after the first one.
select greatest(registry.as_of - interval 7 days, first.as_of) as grown_since
from reports.registry_size as registry
cross join (select min(as_of) as as_of from ingest.runs) as first;
