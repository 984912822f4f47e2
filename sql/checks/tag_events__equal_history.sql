-- error
-- Each interval of history is one event.
with
events as (
    select run_id, change, count(*) as event_count
    from reports.tag_events
    group by run_id, change
),

intervals as (
    select crawls.run_id, history.change, count(*) as interval_count
    from main.tag_history as history
    inner join ingest.crawls
        on history.registry = crawls.registry
        and history.namespace = crawls.namespace
        and history.repository = crawls.repository
        and history.valid_from = crawls.finished_at
    group by crawls.run_id, history.change
)

select
    coalesce(events.run_id, intervals.run_id) as run_id,
    coalesce(events.change, intervals.change) as change,
    events.event_count,
    intervals.interval_count
from events
full join intervals
    on events.run_id = intervals.run_id and events.change = intervals.change
where coalesce(events.event_count, 0) <> coalesce(intervals.interval_count, 0);
