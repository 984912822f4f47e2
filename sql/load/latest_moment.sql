-- The latest moment that the runs stored of themselves: what comes later lies after it.
select max(moment) as moment
from (
    select as_of as moment from ingest.runs
    union all
    select finished_at as moment from ingest.runs
    union all
    select finished_at as moment from ingest.crawls
) as moments
