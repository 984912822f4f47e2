-- The layers whose sharing saves the most.
select
    substr(blob_digest, 1, 19) as blob,
    size_bytes,
    tag_count,
    repository_count,
    namespace_count,
    saved_bytes
from reports.shared_layers
order by saved_bytes desc nulls last, blob_digest
limit 10;
