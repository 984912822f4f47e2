-- What each namespace costs, where a price is set.
select registry, namespace, currency, monthly_cost
from reports.costs
where repository is null
order by registry, namespace;
