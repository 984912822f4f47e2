-- error
-- Each run has one row, and stays there.
with counted as (
    select run_id, count(*) as row_count
    from reports.daily_growth
    group by run_id
)

select
    coalesce(runs.run_id, counted.run_id) as run_id,
    coalesce(counted.row_count, 0) as row_count
from ingest.runs
full join counted on runs.run_id = counted.run_id
where runs.run_id is null or coalesce(counted.row_count, 0) <> 1;
