-- What is known of a namespace's list; it is stored again when the namespace is visible.
delete from ingest.namespaces
where registry = $registry and namespace = $namespace
returning namespace
