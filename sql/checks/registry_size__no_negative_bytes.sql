-- error
-- No bytes are negative.
select *
from reports.registry_size
where
    logical_bytes < 0
    or deduplicated_bytes < 0
    or saved_bytes < 0
    or one_tag_bytes < 0
    or one_repository_bytes < 0
    or one_namespace_bytes < 0
    or many_namespaces_bytes < 0;
