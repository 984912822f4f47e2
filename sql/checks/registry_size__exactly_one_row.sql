-- error
-- The registry's ledger is one row, also when there is nothing in it.
select count(*) as row_count
from reports.registry_size
having count(*) <> 1;
