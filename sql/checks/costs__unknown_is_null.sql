-- error
-- A cost is null exactly where nothing is known of the bytes, never 0 instead.
select *
from reports.costs
where
    (monthly_cost is null) <> (allocated_basis = 'unknown')
    or (allocated_bytes is null) <> (allocated_basis = 'unknown');
