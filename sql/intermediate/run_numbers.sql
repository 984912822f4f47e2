-- One row per run: its number in the order of time.
create or replace table intermediate.run_numbers as
select
    cast(row_number() over (order by as_of, run_id) as integer) as run_key,
    registry,
    run_id,
    as_of,
    stale_days,
    exact_hours,
    in_use_days,
    unread_namespaces,
    unread_repositories,
    status = 'complete' and unread_namespaces = 0 and unread_repositories = 0
        as is_complete
from ingest.runs;
