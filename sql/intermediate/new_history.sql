-- Exactly one row: the first new run, whose changes are yet to be written (one past the
-- last if there is none), and when the first crawl of new runs ended. Changes of earlier
-- runs stay as they are, so that a day costs what changed.
create or replace table intermediate.new_history as
with
last_run as (
    select coalesce(max(run_key), 0) as run_key from intermediate.run_numbers
),

untold as (
    select
        min(runs.run_key) as first_run_key,
        min(crawls.finished_at) as first_crawled_at
    from intermediate.run_numbers as runs
    left join intermediate.told_runs as told on runs.run_id = told.run_id
    left join ingest.crawls on runs.run_id = crawls.run_id
    where told.run_id is null or is_rebuilt()
)

select
    coalesce(untold.first_run_key, last_run.run_key + 1) as first_run_key,
    untold.first_crawled_at
from untold
cross join last_run;
