-- Series of layers that arrive, each once, and only those that an arriving list names.
create or replace temp table arrived_prefixes as
select
    prefix_digest,
    position,
    blob_digest,
    size_bytes,
    media_type,
    is_stored,
    list(place) as places,
from arriving_prefixes
where place in (select unnest(places) from arriving_lists)
group by all;

create or replace temp table keyed_prefixes as
select
    coalesce(
        known.prefix_key,
        counted.prefix_count
        + row_number() over (partition by known.prefix_key is null)
        - 1
    ) as prefix_key,
    arrived.*,
    known.prefix_key is null as is_new,
from arrived_prefixes as arrived
cross join (
    select coalesce(max(prefix_key) + 1, 0) as prefix_count
    from ingest.layer_prefixes
) as counted
left join ingest.layer_prefixes as known
    on arrived.prefix_digest = known.prefix_digest
    and arrived.position = known.position
    and arrived.blob_digest = known.blob_digest
    and arrived.size_bytes is not distinct from known.size_bytes
    and arrived.media_type is not distinct from known.media_type
    and arrived.is_stored = known.is_stored;

insert into ingest.layer_prefixes
select * exclude (places, is_new)
from keyed_prefixes
where is_new;
