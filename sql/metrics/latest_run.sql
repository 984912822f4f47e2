-- The run that was published last.
select
    registry,
    epoch(finished_at) - epoch(started_at) as duration_seconds,
    requests,
    repositories_failed as failed_repositories,
    repositories_incomplete as incomplete_repositories,
    rejected_records
from ingest.runs
order by as_of desc
limit 1;
