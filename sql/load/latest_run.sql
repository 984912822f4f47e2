-- The latest run.
from ingest.runs
order by as_of desc, run_id desc
limit 1
