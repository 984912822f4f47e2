-- What this run did.
insert into ingest.crawls
select
    staged_run.run_id,
    staged_crawls.* exclude (lists_everything),
from staged_crawls
cross join staged_run
order by staged_crawls.namespace, staged_crawls.repository;

insert into ingest.rejected_records
select distinct
    staged_run.run_id,
    staged_rejected.*,
from staged_rejected
cross join staged_run
order by all;

insert into ingest.runs
select *
from staged_run;
