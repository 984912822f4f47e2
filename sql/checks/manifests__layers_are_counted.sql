-- error
-- A manifest's layer_count is the number of its layers.
with counted as (
    select manifest_digest, count(*) as layer_count
    from main.layers
    group by manifest_digest
)

select manifests.manifest_digest, manifests.layer_count, counted.layer_count as layer_rows
from main.manifests
left join counted on manifests.manifest_digest = counted.manifest_digest
where coalesce(manifests.layer_count, 0) <> coalesce(counted.layer_count, 0);
