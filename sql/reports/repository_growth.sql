-- One row per run and repository whose tags or allocated bytes it changed: how. Rows of
-- earlier runs stay as they are, and what is learned of them later belongs to the run
-- that learned it.
delete from reports.repository_growth
where run_id in (
    select runs.run_id
    from intermediate.run_numbers as runs
    inner join intermediate.new_history as new on runs.run_key >= new.first_run_key
);

insert into reports.repository_growth
with
events as (
    select
        history.from_run_key as run_key,
        repos.place,
        sum(case when history.change = 'created' then 1 else 0 end) as created_count,
        sum(case when history.change = 'moved' then 1 else 0 end) as moved_count,
        sum(case when history.change = 'deleted' then 1 else 0 end) as deleted_count,
        sum(case when history.change = 'restored' then 1 else 0 end) as restored_count,
        sum(case when history.change = 'forgotten' then 1 else 0 end) as forgotten_count
    from intermediate.history_runs as history
    inner join intermediate.history_repositories as repos
        on history.registry = repos.registry
        and history.namespace = repos.namespace
        and history.repository = repos.repository
    cross join intermediate.new_history as new
    where history.from_run_key >= new.first_run_key
    group by history.from_run_key, repos.place
),

-- A repository may have changed in the first new run by what is known otherwise now.
moments as (
    select run_key, place from intermediate.share_changes
    union
    select run_key, place from events
    union
    select new.first_run_key as run_key, repos.place
    from intermediate.history_repositories as repos
    cross join intermediate.new_history as new
    where new.first_run_key > 0
),

changed as (
    select
        moments.run_key,
        moments.place,
        coalesce(changes.added_bytes, 0) as added_bytes,
        coalesce(changes.orphaned_bytes, 0) as orphaned_bytes,
        coalesce(changes.shifted_bytes, 0) as shifted_bytes,
        coalesce(changes.difference_bytes, 0) as difference_bytes
    from moments
    left join intermediate.share_changes as changes
        on moments.run_key = changes.run_key and moments.place = changes.place
),

-- What it has now, and what each new run changed of it, say what it had after one.
summed as (
    select
        changed.*,
        coalesce(shares.allocated_bytes, 0)
        - coalesce(sum(changed.difference_bytes) over later_runs, 0) as after_bytes
    from changed
    inner join intermediate.history_repositories as repos on changed.place = repos.place
    left join intermediate.repository_shares as shares
        on repos.repository_key = shares.repository_key
    window
        later_runs as (
            partition by changed.place
            order by changed.run_key
            rows between 1 following and unbounded following
        )
),

told as (
    select
        repos.place,
        told.allocated_after_bytes,
        (select count(*) from intermediate.told_repositories) as told_count
    from intermediate.history_repositories as repos
    left join intermediate.told_repositories as told
        on repos.registry = told.registry
        and repos.namespace = told.namespace
        and repos.repository = told.repository
),

-- Before the first run with rows nothing was told, though there may have been runs.
chained as (
    select
        summed.*,
        coalesce(
            lag(summed.after_bytes) over (
                partition by summed.place order by summed.run_key
            ),
            told.allocated_after_bytes,
            case
                when told.told_count > 0 then 0
                else summed.after_bytes - summed.difference_bytes
            end
        ) as before_bytes
    from summed
    inner join told on summed.place = told.place
)

select
    repos.registry,
    runs.run_id,
    runs.as_of,
    cast(runs.as_of at time zone 'UTC' as date) as day,
    repos.namespace,
    repos.repository,
    cast(coalesce(events.created_count, 0) as bigint) as created_count,
    cast(coalesce(events.moved_count, 0) as bigint) as moved_count,
    cast(coalesce(events.deleted_count, 0) as bigint) as deleted_count,
    cast(coalesce(events.restored_count, 0) as bigint) as restored_count,
    cast(coalesce(events.forgotten_count, 0) as bigint) as forgotten_count,
    try_cast(chained.before_bytes as bigint) as allocated_before_bytes,
    try_cast(chained.added_bytes as bigint) as added_bytes,
    try_cast(chained.orphaned_bytes as bigint) as orphaned_bytes,
    try_cast(
        chained.after_bytes
        - chained.before_bytes
        - chained.added_bytes
        + chained.orphaned_bytes
        - chained.shifted_bytes as bigint
    ) as learned_bytes,
    try_cast(chained.shifted_bytes as bigint) as shifted_bytes,
    try_cast(chained.after_bytes as bigint) as allocated_after_bytes,
    growth.basis
from chained
inner join intermediate.run_numbers as runs on chained.run_key = runs.run_key
inner join intermediate.history_repositories as repos on chained.place = repos.place
inner join reports.daily_growth as growth on runs.run_id = growth.run_id
left join events
    on chained.run_key = events.run_key and chained.place = events.place
where
    events.place is not null
    or chained.before_bytes <> chained.after_bytes
    or chained.added_bytes <> 0
    or chained.orphaned_bytes <> 0
    or chained.shifted_bytes <> 0
order by chained.run_key, repos.place;

comment on table reports.repository_growth is 'One row per run and repository whose tags or allocated bytes it changed.';
comment on column reports.repository_growth.registry is 'Short name of the registry.';
comment on column reports.repository_growth.run_id is 'The run.';
comment on column reports.repository_growth.as_of is 'The moment the run describes.';
comment on column reports.repository_growth.day is 'Calendar day of as_of, UTC.';
comment on column reports.repository_growth.namespace is 'Namespace (organization).';
comment on column reports.repository_growth.repository is 'Repository name, with / where it has levels.';
comment on column reports.repository_growth.created_count is 'Tags the run saw for the first time.';
comment on column reports.repository_growth.moved_count is 'Tags it saw on another digest.';
comment on column reports.repository_growth.deleted_count is 'Tags it found gone.';
comment on column reports.repository_growth.restored_count is 'Tags it found back again.';
comment on column reports.repository_growth.forgotten_count is 'Tags forgotten by command.';
comment on column reports.repository_growth.allocated_before_bytes is 'Its allocated bytes before the run, as they were known then.';
comment on column reports.repository_growth.added_bytes is 'Its share of the blobs that were new to the registry. All rows of a run add up to daily_growth.';
comment on column reports.repository_growth.orphaned_bytes is 'Its share of the blobs that no live tag of the registry reaches any more; the sum of its tag_events. All rows of a run add up to daily_growth.';
comment on column reports.repository_growth.learned_bytes is 'What the run taught us of its blobs: sizes that became known, children resolved; negative where a smaller size was stated. All rows of a run add up to daily_growth.';
comment on column reports.repository_growth.shifted_bytes is 'How its share of blobs that stayed changed, as it or others began or ceased to use them. All rows of a run add up to 0.';
comment on column reports.repository_growth.allocated_after_bytes is 'Its allocated bytes after the run: before + added - orphaned + learned + shifted.';
comment on column reports.repository_growth.basis is 'exact where nothing was unread or in doubt in this run and the one before, else estimate; for all bytes of this row.';
