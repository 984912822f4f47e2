-- What is held in several registries: the bytes beyond one copy of each blob.
select
    count(*) as blob_count,
    coalesce(cast(sum(size_bytes * (registry_count - 1)) as bigint), 0) as repeated_bytes,
    case when count_if(size_basis <> 'exact') = 0 then 'exact' else 'lower_bound' end
        as repeated_basis
from reports.replicas;
