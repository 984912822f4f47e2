-- One row per live repository: since when its count of pulls has not changed, as far as
-- runs saw, and what it holds meanwhile. Our own pulls may move the count: a change that
-- they can explain is no use.
create or replace table reports.cold_repositories as
with
uses as (
    select
        repository_key,
        as_of,
        is_use,
        max(case when is_use then as_of end) over (partition by repository_key)
            as unchanged_since
    from intermediate.pull_counts
),

unchanged as (
    select
        repository_key,
        unchanged_since,
        sum(case when as_of > unchanged_since then 1 else 0 end) as own_change_count
    from uses
    group by repository_key, unchanged_since
),

own_pulls as (
    select repos.repository_key, count(*) as own_pull_count
    from ingest.pulls
    inner join intermediate.live_repositories as repos
        on pulls.registry = repos.registry
        and pulls.namespace = repos.namespace
        and pulls.repository = repos.repository
    where pulls.kind <> 'blob' and pulls.outcome <> 'missing'
    group by repos.repository_key
)

select
    sizes.registry,
    sizes.namespace,
    sizes.repository,
    sizes.download_count,
    unchanged.unchanged_since,
    whole_days(unchanged.unchanged_since, sizes.as_of) as unchanged_days,
    cast(unchanged.own_change_count as bigint) as own_change_count,
    coalesce(own.own_pull_count, 0) as own_pull_count,
    sizes.tag_count,
    sizes.newest_updated_at,
    sizes.deduplicated_bytes,
    sizes.size_basis,
    sizes.exclusive_bytes,
    sizes.exclusive_basis,
    sizes.as_of
from reports.repository_sizes as sizes
inner join intermediate.live_repositories as repos
    on sizes.registry = repos.registry
    and sizes.namespace = repos.namespace
    and sizes.repository = repos.repository
left join unchanged on repos.repository_key = unchanged.repository_key
left join own_pulls as own on repos.repository_key = own.repository_key
order by repos.repository_key;

comment on table reports.cold_repositories is 'One row per live repository: since when nobody is known to have pulled from it, and what it holds.';
comment on column reports.cold_repositories.registry is 'Short name of the registry.';
comment on column reports.cold_repositories.namespace is 'Namespace (organization).';
comment on column reports.cold_repositories.repository is 'Repository name, with / where it has levels.';
comment on column reports.cold_repositories.download_count is 'Pulls since it was made, as the registry counts them.';
comment on column reports.cold_repositories.unchanged_since is 'as_of of the run that last found the count changed by others than us, or first found a count: no list since showed a pull. Null where no run ever saw a count.';
comment on column reports.cold_repositories.unchanged_days is 'Whole days from then to as_of.';
comment on column reports.cold_repositories.own_change_count is 'Changes of the count since then that are not held for use: our own pulls before them can explain them.';
comment on column reports.cold_repositories.own_pull_count is 'Manifests and configurations that our runs ever pulled from it: whether the registry counts them is not known.';
comment on column reports.cold_repositories.tag_count is 'Live tags.';
comment on column reports.cold_repositories.newest_updated_at is 'When a live tag was last pushed or moved.';
comment on column reports.cold_repositories.deduplicated_bytes is 'Bytes of the distinct stored blobs its live tags reach.';
comment on column reports.cold_repositories.size_basis is 'exact, lower_bound, estimate or unknown, for deduplicated_bytes.';
comment on column reports.cold_repositories.exclusive_bytes is 'The part of these that no live tag of another repository reaches: what deleting all its tags would give back.';
comment on column reports.cold_repositories.exclusive_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for exclusive_bytes.';
comment on column reports.cold_repositories.as_of is 'The moment this row describes: as_of of the latest run.';
