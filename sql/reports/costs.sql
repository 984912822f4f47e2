-- One row per live repository, and one per namespace, whose repository is null: what its
-- allocated bytes cost a month at the price that was set, where one was. 1 GB is 2^30
-- bytes. Cents are divided by running totals in name order, so that the repositories, and
-- the namespaces, add up to what the registry's deduplicated bytes cost, to the cent.
create or replace table reports.costs as
with
price as (
    select
        runs.price_per_gb_month,
        runs.currency,
        cast(runs.price_per_gb_month * 1000000 as hugeint) as price_in_millionths
    from intermediate.latest_run as latest
    inner join ingest.runs on latest.run_id = runs.run_id
    where runs.price_per_gb_month is not null
),

running as (
    select
        registry,
        namespace,
        repository,
        allocated_bytes,
        allocated_basis,
        as_of,
        sum(coalesce(allocated_bytes, 0)) over (
            order by registry, namespace, repository
            rows between unbounded preceding and current row
        ) as until_bytes
    from reports.repository_sizes
),

repository_costs as (
    select
        running.*,
        price.price_per_gb_month,
        price.currency,
        cost_in_cents(running.until_bytes, price.price_in_millionths)
        - cost_in_cents(
            running.until_bytes - coalesce(running.allocated_bytes, 0),
            price.price_in_millionths
        ) as cents
    from running
    cross join price
),

namespace_costs as (
    select registry, namespace, sum(cents) as cents
    from repository_costs
    group by registry, namespace
),

costs as (
    select
        registry,
        namespace,
        repository,
        allocated_bytes,
        allocated_basis,
        cents,
        price_per_gb_month,
        currency,
        as_of
    from repository_costs
    union all
    select
        sizes.registry,
        sizes.namespace,
        null as repository,
        sizes.allocated_bytes,
        sizes.allocated_basis,
        namespace_costs.cents,
        price.price_per_gb_month,
        price.currency,
        sizes.as_of
    from reports.namespace_sizes as sizes
    inner join namespace_costs
        on sizes.registry = namespace_costs.registry
        and sizes.namespace = namespace_costs.namespace
    cross join price
)

select
    registry,
    namespace,
    repository,
    allocated_bytes,
    allocated_basis,
    case
        when allocated_bytes is not null
            then cast(cast(cents as decimal(18, 0)) * 0.01 as decimal(18, 2))
    end as monthly_cost,
    currency,
    price_per_gb_month,
    as_of
from costs
order by registry, namespace, repository nulls first;

comment on table reports.costs is 'One row per live repository and per namespace: what its allocated bytes cost a month; no rows where SWR_PRICE_PER_GB_MONTH is not set.';
comment on column reports.costs.registry is 'Short name of the registry.';
comment on column reports.costs.namespace is 'Namespace (organization).';
comment on column reports.costs.repository is 'Repository name; null in the row of the whole namespace.';
comment on column reports.costs.allocated_bytes is 'Its share of the blobs it uses, as in repository_sizes and namespace_sizes; null when nothing is known.';
comment on column reports.costs.allocated_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for allocated_bytes and monthly_cost.';
comment on column reports.costs.monthly_cost is 'allocated_bytes x price, 1 GB being 2^30 bytes. All repositories, and all namespaces, add up to the registry''s deduplicated bytes x price, to the cent.';
comment on column reports.costs.currency is 'SWR_CURRENCY, of monthly_cost and the price.';
comment on column reports.costs.price_per_gb_month is 'SWR_PRICE_PER_GB_MONTH: what 2^30 bytes cost a month.';
comment on column reports.costs.as_of is 'The moment this row describes: as_of of the latest run.';
