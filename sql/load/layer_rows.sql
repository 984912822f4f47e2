-- How many rows main.layers has, without making them.
select coalesce(sum(len(prefix_keys)), 0)::bigint as row_count
from ingest.manifest_prefixes;
