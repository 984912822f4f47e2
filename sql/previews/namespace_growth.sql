-- What changed most in the latest runs.
select
    day,
    namespace,
    added_bytes,
    orphaned_bytes,
    shifted_bytes,
    allocated_after_bytes,
    basis
from reports.namespace_growth
order by as_of desc, added_bytes + orphaned_bytes desc, namespace
limit 10;
