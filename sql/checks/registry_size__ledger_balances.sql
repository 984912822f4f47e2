-- error
-- What one tag, one repository, one namespace and many namespaces use adds up to the
-- deduplicated bytes, and with the saved bytes to the logical ones.
select *
from reports.registry_size
where
    one_tag_bytes + one_repository_bytes + one_namespace_bytes + many_namespaces_bytes
    is distinct from deduplicated_bytes
    or deduplicated_bytes + saved_bytes is distinct from logical_bytes;
