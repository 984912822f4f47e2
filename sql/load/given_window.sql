-- From which moment on snapshots count for questions.
create table intermediate.in_use_window as
select
    max(as_of) - to_days(
        coalesce($days, arg_max_null(in_use_days, as_of), 30)::integer
    ) as oldest_at,
from ingest.runs
