-- One row of blob_uses per blob of one size that several repositories use or used.
create or replace table intermediate.crowded_uses as
with crowded as (
    select blob_key
    from intermediate.blob_uses
    group by blob_key
    having min(place) <> max(place)
)

select
    uses.blob_key,
    repos.namespace_place,
    uses.place,
    uses.from_run_key,
    uses.to_run_key
from intermediate.blob_uses as uses
inner join crowded on uses.blob_key = crowded.blob_key
inner join intermediate.stored_blobs as blobs on uses.blob_key = blobs.blob_key
inner join intermediate.history_repositories as repos on uses.place = repos.place
where blobs.is_steady;
