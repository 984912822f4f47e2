-- One row per blob that the registry holds: stored according to at least one manifest.
-- Its size is the smallest stated; is_uncertain where none or several are stated.
-- is_steady where that has been so since it was first stated. sized_run_key: the run from
-- which on one was.
create or replace table intermediate.stored_blobs as
select
    blob_key,
    min(size_bytes) as size_bytes,
    max(size_bytes) as largest_size_bytes,
    coalesce(min(size_bytes) <> max(size_bytes), true) as is_uncertain,
    min(first_run_key) = max(first_run_key)
    or count(size_bytes) = 0
    or (min(size_bytes) = max(size_bytes) and count(size_bytes) = count(*)) as is_steady,
    bool_or(position is not null) as is_layer,
    min(case when size_bytes is not null then first_run_key end) as sized_run_key,
    min(case when is_stored then first_run_key end) as stored_run_key
from intermediate.blob_statements
group by blob_key
having bool_or(is_stored);
