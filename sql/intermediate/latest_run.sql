-- Exactly one row: the run that all reports are as of; nulls before the first.
create or replace table intermediate.latest_run as
select
    max(registry) as registry,
    max(run_id) as run_id,
    max(as_of) as as_of,
    max(stale_days) as stale_days,
    coalesce(max(exact_hours), 48) as exact_hours,
    coalesce(max(in_use_days), 30) as in_use_days,
    max(unread_namespaces) as unread_namespaces,
    max(unread_repositories) as unread_repositories
from intermediate.run_numbers
where run_key = (select max(run_key) from intermediate.run_numbers);
