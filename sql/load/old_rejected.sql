-- Runs before a moment whose rejected records are still kept; never the latest run, whose
-- records are findings of reports.integrity.
with
runs as (
    select
        run_id,
        as_of,
        row_number() over (order by as_of desc, run_id desc) as from_last,
    from ingest.runs
)

select distinct runs.run_id
from runs
inner join ingest.rejected_records as rejected on runs.run_id = rejected.run_id
where runs.as_of < $before and runs.from_last > 1
order by runs.run_id
