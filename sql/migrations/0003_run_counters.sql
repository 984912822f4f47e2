-- What each run received, and how its repositories ended, beside the run itself: an operator
-- should not have to add up the crawl log to see that a run was unlike the one before.
-- Runs of before are counted from that log; what it does not hold stays null.

alter table ingest.runs add column failed_namespaces integer;
alter table ingest.runs add column received_bytes bigint;
alter table ingest.runs add column pages bigint;
alter table ingest.runs add column tags_received bigint;
alter table ingest.runs add column rejected_records bigint;
alter table ingest.runs add column repositories_complete bigint;
alter table ingest.runs add column repositories_unchanged bigint;
alter table ingest.runs add column repositories_incomplete bigint;
alter table ingest.runs add column repositories_failed bigint;
alter table ingest.runs add column repositories_missing bigint;

comment on column ingest.runs.failed_namespaces is 'Namespaces in scope whose repository list was refused or failed; null for runs of before this was counted.';
comment on column ingest.runs.received_bytes is 'Bytes of the answers'' bodies, decompressed; null for runs of before this was counted.';
comment on column ingest.runs.pages is 'Tag pages received.';
comment on column ingest.runs.tags_received is 'Distinct records received in the last walk through each repository.';
comment on column ingest.runs.rejected_records is 'Tag records that could not be used: see ingest.rejected_records.';
comment on column ingest.runs.repositories_complete is 'Repositories proven to be what is live.';
comment on column ingest.runs.repositories_unchanged is 'Repositories proven equal to what was known.';
comment on column ingest.runs.repositories_incomplete is 'Repositories that could not be proven.';
comment on column ingest.runs.repositories_failed is 'Repositories that could not be read.';
comment on column ingest.runs.repositories_missing is 'Repositories that answered 404.';

update ingest.runs set
    pages = counted.pages,
    tags_received = counted.tags_received,
    repositories_complete = counted.complete,
    repositories_unchanged = counted.unchanged,
    repositories_incomplete = counted.incomplete,
    repositories_failed = counted.failed,
    repositories_missing = counted.missing
from (
    select
        runs.run_id,
        coalesce(sum(crawls.pages), 0) as pages,
        coalesce(sum(crawls.received), 0) as tags_received,
        count(case when crawls.status = 'complete' then 1 end) as complete,
        count(case when crawls.status = 'unchanged' then 1 end) as unchanged,
        count(case when crawls.status = 'incomplete' then 1 end) as incomplete,
        count(case when crawls.status = 'failed' then 1 end) as failed,
        count(case when crawls.status = 'missing' then 1 end) as missing
    from ingest.runs as runs
    left join ingest.crawls as crawls on runs.run_id = crawls.run_id
    group by runs.run_id
) as counted
where runs.run_id = counted.run_id;

update ingest.runs set
    rejected_records = (
        select count(*)
        from ingest.rejected_records as rejected
        where rejected.run_id = runs.run_id
    );
