-- One row per interval of a tag's history that is open or ended in a new run, with the
-- runs whose crawls saw it begin and end: live after from_run_key and all later ones
-- before to_run_key (null while open). What began before the first new run is said to
-- begin just before it. interval_key tells them apart.
create or replace table intermediate.history_runs as
with moments as (
    select
        crawls.registry,
        crawls.namespace,
        crawls.repository,
        crawls.finished_at,
        min(runs.run_key) as run_key
    from ingest.crawls
    inner join intermediate.run_numbers as runs on crawls.run_id = runs.run_id
    cross join intermediate.new_history as new
    where crawls.finished_at >= new.first_crawled_at
    group by
        crawls.registry, crawls.namespace, crawls.repository, crawls.finished_at
)

select
    row_number() over () as interval_key,
    history.registry,
    history.namespace,
    history.repository,
    history.tag,
    history.change,
    history.valid_from,
    history.valid_from_earliest,
    history.valid_to,
    manifests.manifest_key,
    coalesce(begins.run_key, nullif(new.first_run_key - 1, 0)) as from_run_key,
    ends.run_key as to_run_key
from main.tag_history as history
cross join intermediate.new_history as new
left join intermediate.manifest_keys as manifests
    on history.manifest_digest = manifests.manifest_digest
left join moments as begins
    on history.registry = begins.registry
    and history.namespace = begins.namespace
    and history.repository = begins.repository
    and history.valid_from = begins.finished_at
left join moments as ends
    on history.registry = ends.registry
    and history.namespace = ends.namespace
    and history.repository = ends.repository
    and history.valid_to = ends.finished_at
where history.valid_to is null or history.valid_to >= new.first_crawled_at;
