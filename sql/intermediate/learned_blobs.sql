-- One row per blob and new run that may have taught us something of what it was before:
-- that found a user of it, or changed the users or the size of a blob whose stated sizes
-- were not always the same.
create or replace table intermediate.learned_blobs as
with
unsteady as (
    select blob_key from intermediate.stored_blobs where not is_steady
),

found as (
    select distinct uses.place, uses.blob_key, uses.since_run_key as run_key
    from intermediate.touched_uses as uses
    cross join intermediate.new_history as new
    where
        uses.since_run_key >= new.first_run_key
        and uses.since_run_key > uses.from_run_key
        and (uses.to_run_key is null or uses.since_run_key <= uses.to_run_key)
)

select found.blob_key, found.run_key
from found
left join intermediate.blob_uses as known
    on found.place = known.place
    and found.blob_key = known.blob_key
    and found.run_key > known.from_run_key
    and (known.to_run_key is null or found.run_key <= known.to_run_key)
where known.place is null
union
select changes.blob_key, changes.run_key
from intermediate.blob_changes as changes
inner join unsteady on changes.blob_key = unsteady.blob_key
union
select uses.blob_key, uses.from_run_key as run_key
from intermediate.blob_uses as uses
inner join unsteady on uses.blob_key = unsteady.blob_key
cross join intermediate.new_history as new
where uses.from_run_key >= new.first_run_key
union
select uses.blob_key, uses.to_run_key as run_key
from intermediate.blob_uses as uses
inner join unsteady on uses.blob_key = unsteady.blob_key
cross join intermediate.new_history as new
where uses.to_run_key >= new.first_run_key;
