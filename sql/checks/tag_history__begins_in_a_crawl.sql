-- error
-- Every interval begins when a crawl of its repository ended: its event belongs to a run.
select history.*
from main.tag_history as history
left join ingest.crawls
    on history.registry = crawls.registry
    and history.namespace = crawls.namespace
    and history.repository = crawls.repository
    and history.valid_from = crawls.finished_at
where crawls.run_id is null;
