-- error
-- A manifest's layer_count is the number of its layers.
select
    manifests.manifest_digest,
    manifests.layer_count,
    array_length(listed.prefix_keys) as layer_rows
from main.manifests
left join ingest.manifest_prefixes as listed
    on manifests.manifest_digest = listed.manifest_digest
where coalesce(manifests.layer_count, 0) <> coalesce(array_length(listed.prefix_keys), 0);
