-- Exactly one row: the moment from which on snapshots count; null before any run.
create or replace table intermediate.in_use_window as
select as_of - to_days(cast(in_use_days as integer)) as oldest_at
from intermediate.latest_run;
