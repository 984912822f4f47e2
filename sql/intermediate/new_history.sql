-- Exactly one row: the first new run, whose changes are to be written (0 before any run),
-- and when the first crawl of new runs ended. New are the latest run, also if a building
-- that died has written some of it, and runs that have no row yet. Changes of all others
-- stay as they are, so that a day costs what changed.
create or replace table intermediate.new_history as
with last_run as (
    select coalesce(max(run_key), 0) as run_key from intermediate.run_numbers
)

select
    coalesce(min(runs.run_key), 0) as first_run_key,
    min(crawls.finished_at) as first_crawled_at
from intermediate.run_numbers as runs
cross join last_run
left join intermediate.told_runs as told on runs.run_id = told.run_id
left join ingest.crawls on runs.run_id = crawls.run_id
where runs.run_key = last_run.run_key or told.run_id is null or is_rebuilt();
