-- What storage costs, by the settings of each run.

alter table ingest.runs add column price_per_gb_month decimal(12, 6);
alter table ingest.runs add column currency varchar;

-- What the registry did not have was not pulled from it.
create or replace view downloads as
select
    counts.registry,
    counts.namespace,
    counts.repository,
    runs.as_of,
    counts.download_count,
    count(pulls.digest) as own_pulls
from ingest.download_counts as counts
inner join ingest.runs as runs on counts.run_id = runs.run_id
left join ingest.pulls as pulls
    on counts.registry = pulls.registry
    and counts.namespace = pulls.namespace
    and counts.repository = pulls.repository
    and pulls.kind <> 'blob'
    and pulls.outcome <> 'missing'
    and pulls.asked_at < runs.as_of
group by all;
comment on view downloads is 'One row per repository and run that found another count of pulls than the run before.';
comment on column downloads.registry is 'Short name of the registry.';
comment on column downloads.namespace is 'Namespace (organization).';
comment on column downloads.repository is 'Repository name.';
comment on column downloads.as_of is 'as_of of the run.';
comment on column downloads.download_count is 'Pulls since the repository was made, as the registry counts them.';
comment on column downloads.own_pulls is 'Manifests and configurations that runs pulled from it until then: whether the registry counts them is not known.';
