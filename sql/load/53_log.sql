-- What this run did.
insert into ingest.crawls by name
select
    (select run_id from staged_run) as run_id,
    staged_crawls.* exclude (lists_everything),
    coalesce(unseen.tag_count, 0) as unseen_tag_count,
from staged_crawls
left join unseen using (registry, namespace, repository)
order by registry, namespace, repository;

insert into ingest.rejected_records by name
select distinct
    staged_run.run_id,
    staged_rejected.*,
from staged_rejected
cross join staged_run
order by all;

insert into ingest.runs by name
select
    staged_run.* replace (
        crawled.pages as pages,
        crawled.tags_received as tags_received,
        rejected.rejected_records as rejected_records,
        crawled.complete as repositories_complete,
        crawled.unchanged as repositories_unchanged,
        crawled.incomplete as repositories_incomplete,
        crawled.failed as repositories_failed,
        crawled.missing as repositories_missing
    )
from staged_run
cross join (
    select
        coalesce(sum(pages), 0) as pages,
        coalesce(sum(received), 0) as tags_received,
        count(case when status = 'complete' then 1 end) as complete,
        count(case when status = 'unchanged' then 1 end) as unchanged,
        count(case when status = 'incomplete' then 1 end) as incomplete,
        count(case when status = 'failed' then 1 end) as failed,
        count(case when status = 'missing' then 1 end) as missing
    from staged_crawls
) as crawled
cross join (
    select count(*) as rejected_records
    from ingest.rejected_records
    where run_id = (select run_id from staged_run)
) as rejected;
