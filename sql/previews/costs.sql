-- The repositories that cost most.
select
    namespace,
    repository,
    allocated_bytes,
    allocated_basis,
    monthly_cost,
    currency
from reports.costs
where repository is not null
order by monthly_cost desc nulls last, namespace, repository
limit 10;
