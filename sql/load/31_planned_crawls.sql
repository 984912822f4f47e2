-- The crawls that may change rows, in chunks of about 50,000 staged records; a
-- repository is never split. One that failed or is unchanged has nothing to merge.
-- A repository made anew under the name of a deleted one (is_new) begins anew: its records
-- have another id, none the known one; or where either has no id, which 0 stands for too,
-- it was created after we last read it. Only a reading of all records shows it.
create or replace temp table planned_crawls as
with staged as (
    select
        registry,
        namespace,
        repository,
        count(*) as record_count,
        max(nullif(repo_id, 0)) as repo_id,
    from staged_tags
    group by all
),

-- Of repositories of which some record has the known id.
same as (
    select distinct
        registry,
        namespace,
        repository,
    from staged_tags
    inner join repositories using (registry, namespace, repository, repo_id)
    where staged_tags.repo_id <> 0
),

proven as (
    select
        registry,
        namespace,
        repository,
        max(started_at) as started_at,
    from ingest.crawls
    where status in ('complete', 'unchanged')
    group by all
),

final as (
    select
        registry,
        namespace,
        repository,
        crawls.status,
        crawls.finished_at as seen_at,
        proven.started_at as seen_at_earliest,
        closes_all(crawls.status)
        or (crawls.status = 'complete' and crawls.lists_everything) as infers_deletions,
        crawls.status = 'complete' and crawls.lists_everything
        and same.repository is null
        and coalesce(
            nullif(known.repo_id, 0) <> staged.repo_id,
            listed.created_at > coalesce(known.read_at, known.deleted_detected_at)
            and listed.created_at is distinct from known.created_at,
            false
        ) as is_new,
        coalesce(sum(staged.record_count) over (
            order by registry, namespace, repository
            rows between unbounded preceding and 1 preceding
        ), 0)::bigint // 50000 as chunk,
    from staged_crawls as crawls
    left join staged using (registry, namespace, repository)
    left join proven using (registry, namespace, repository)
    left join same using (registry, namespace, repository)
    left join repositories as known using (registry, namespace, repository)
    left join staged_repositories as listed using (registry, namespace, repository)
    where crawls.status in ('complete', 'incomplete') or closes_all(crawls.status)
)

select *
from final;

-- Filled chunk by chunk.
create or replace temp table unseen as
select
    registry,
    namespace,
    repository,
    0::bigint as tag_count,
from planned_crawls
limit 0;
