-- error
-- A manifest's layer_count is the number of its layers.
-- Counted are those of main.layers: a number without its series is no layer.
with
listed as (
    select manifest_digest, unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
),

counted as (
    select listed.manifest_digest, count(*) as layer_count
    from listed
    inner join ingest.layer_prefixes as prefixes
        on listed.prefix_key = prefixes.prefix_key
    group by listed.manifest_digest
)

select manifests.manifest_digest, manifests.layer_count, counted.layer_count as layer_rows
from main.manifests
left join counted on manifests.manifest_digest = counted.manifest_digest
where coalesce(manifests.layer_count, 0) <> coalesce(counted.layer_count, 0);
