-- error
-- Every number that a manifest lists is that of a series: none of its layers is lost.
with listed as (
    select distinct unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
)

from listed
anti join ingest.layer_prefixes using (prefix_key);
