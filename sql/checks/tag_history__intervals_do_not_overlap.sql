-- error
-- A tag's intervals follow one another without overlap or gap, and only the last is open;
-- of all tags that the latest run changed, as runs before have checked the others.
with
latest as (
    select min(crawls.finished_at) as first_crawled_at
    from ingest.crawls
    where crawls.run_id = (
        select runs.run_id
        from ingest.runs
        order by runs.as_of desc, runs.run_id desc
        limit 1
    )
),

changed as (
    select distinct
        history.registry,
        history.namespace,
        history.repository,
        history.tag
    from main.tag_history as history
    cross join latest
    where
        history.valid_from >= latest.first_crawled_at
        or history.valid_to >= latest.first_crawled_at
),

neighbours as (
    select
        history.*,
        lead(history.valid_from) over (
            partition by
                history.registry, history.namespace, history.repository, history.tag
            order by history.valid_from, history.valid_to nulls last
        ) as next_from
    from main.tag_history as history
    inner join changed
        on history.registry = changed.registry
        and history.namespace = changed.namespace
        and history.repository = changed.repository
        and history.tag = changed.tag
)

select *
from neighbours
where valid_to is distinct from next_from;
