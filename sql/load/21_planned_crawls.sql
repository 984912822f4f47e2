-- The crawls that may change rows, in chunks of about 50,000 staged records; a
-- repository is never split. One that failed or is unchanged has nothing to merge.
create or replace temp table planned_crawls as
with staged as (
    select
        registry,
        namespace,
        repository,
        count(*) as record_count,
    from staged_tags
    group by all
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
        crawls.status = 'missing'
        or (crawls.status = 'complete' and crawls.lists_everything) as infers_deletions,
        coalesce(sum(staged.record_count) over (
            order by registry, namespace, repository
            rows between unbounded preceding and 1 preceding
        ), 0)::bigint // 50000 as chunk,
    from staged_crawls as crawls
    left join staged using (registry, namespace, repository)
    left join proven using (registry, namespace, repository)
    where crawls.status in ('complete', 'incomplete', 'missing')
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
