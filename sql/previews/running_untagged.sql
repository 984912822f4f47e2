-- What most containers run.
select
    cluster,
    namespace,
    repository,
    running_digest,
    container_count,
    left_tag,
    left_at
from reports.running_untagged
order by container_count desc, cluster, namespace, repository, running_digest
limit 10;
