-- One row per repository, blob and manifest with it, where a new run changed whether
-- some manifest of the repository has the blob, or what we knew of that: live from
-- from_run_key until before to_run_key (null: still), and known from since_run_key on.
create or replace table intermediate.touched_uses as
with
touched as (
    select distinct lifetimes.place, contents.blob_key
    from intermediate.repository_lifetimes as lifetimes
    inner join intermediate.manifest_blobs as contents
        on lifetimes.manifest_key = contents.root_key
    cross join intermediate.new_history as new
    where
        lifetimes.from_run_key >= new.first_run_key
        or lifetimes.to_run_key >= new.first_run_key
        or contents.since_run_key >= new.first_run_key
),

places as (select distinct place from touched)

select
    lifetimes.place,
    contents.blob_key,
    lifetimes.from_run_key,
    lifetimes.to_run_key,
    contents.since_run_key
from intermediate.repository_lifetimes as lifetimes
inner join places on lifetimes.place = places.place
inner join intermediate.manifest_blobs as contents
    on lifetimes.manifest_key = contents.root_key
inner join touched
    on lifetimes.place = touched.place and contents.blob_key = touched.blob_key;
