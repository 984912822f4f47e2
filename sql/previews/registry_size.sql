-- The registry in one line.
select
    as_of,
    repository_count,
    repositories_complete,
    tag_count,
    logical_bytes,
    deduplicated_bytes,
    saved_bytes,
    size_basis
from reports.registry_size
order by as_of
limit 10;
