-- What changed most in the latest runs.
select
    day,
    namespace,
    repository,
    added_bytes,
    orphaned_bytes,
    shifted_bytes,
    allocated_after_bytes,
    basis
from reports.repository_growth
order by as_of desc, added_bytes + orphaned_bytes desc, namespace, repository
limit 10;
