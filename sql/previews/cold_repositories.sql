-- What nobody has pulled from for longest, and holds most.
select
    namespace,
    repository,
    unchanged_days,
    download_count,
    own_change_count,
    tag_count,
    exclusive_bytes,
    exclusive_basis
from reports.cold_repositories
order by
    unchanged_days desc nulls last,
    exclusive_bytes desc nulls last,
    namespace,
    repository
limit 10;
