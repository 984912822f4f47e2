-- warn
-- The latest run proved a smaller share of its repositories (complete or unchanged) than
-- a run of the 30 days before it. The figures of the others are the last known.
with
runs as (
    select
        run_id,
        as_of,
        repository_count,
        repositories_complete,
        row_number() over (order by as_of desc, run_id desc) as from_last
    from reports.daily_growth
    where repository_count > 0
),

latest as (select * from runs where from_last = 1),

better as (
    select
        latest.*,
        runs.run_id as better_run_id,
        runs.as_of as better_as_of,
        runs.repository_count as better_repository_count,
        runs.repositories_complete as better_repositories_complete,
        row_number() over (order by runs.as_of desc, runs.run_id desc) as from_latest
    from latest
    inner join runs on runs.as_of >= latest.as_of - interval '30' day
    where
        runs.from_last > 1
        and runs.repositories_complete * latest.repository_count
        > latest.repositories_complete * runs.repository_count
)

select
    run_id,
    as_of,
    repository_count,
    repositories_complete,
    better_run_id,
    better_as_of,
    better_repository_count,
    better_repositories_complete
from better
where from_latest = 1;
