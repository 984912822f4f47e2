-- error
-- No bytes are negative.
select *
from main.manifests
where
    config_bytes < 0
    or logical_bytes < 0
    or manifest_bytes < 0;
