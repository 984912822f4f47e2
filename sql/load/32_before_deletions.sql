-- Deletions by retention rules that the log names for the first time, and the tags of their
-- repositories as they are known from before this run, if that was all of them.
create or replace temp table new_deletions as
select staged.*
from staged_retention_log as staged
anti join ingest.retention_log using (registry, namespace, repository, entry_key);

create or replace temp table proven_before as
select
    registry,
    namespace,
    repository,
    max(crawls.finished_at) as finished_at,
from ingest.crawls
inner join repositories using (registry, namespace, repository)
semi join new_deletions using (registry, namespace, repository)
where
    crawls.status in ('complete', 'unchanged')
    and repositories.crawl_status in ('complete', 'unchanged')
group by all;

create or replace temp table tags_before as
select
    registry,
    namespace,
    repository,
    tag,
    manifest_digest,
    created_at,
    updated_at,
from tags
semi join proven_before using (registry, namespace, repository);
