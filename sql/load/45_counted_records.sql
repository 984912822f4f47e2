-- Records that the registry counts and that are no live tags.
delete from ingest.counted_records using chunk
where
    counted_records.registry = chunk.registry
    and counted_records.namespace = chunk.namespace
    and counted_records.repository = chunk.repository
    and chunk.infers_deletions;

delete from ingest.counted_records using latest
where
    counted_records.registry = latest.registry
    and counted_records.namespace = latest.namespace
    and counted_records.repository = latest.repository
    and counted_records.record_key = latest.tag;

insert into ingest.counted_records
select
    registry,
    namespace,
    repository,
    tag as record_key,
    state as reason,
    updated_at,
    if(state = 'deleted', 'deleted ', '') || fingerprint as fingerprint,
from latest
where state in ('deleted', 'rejected')
order by registry, namespace, repository, tag;
