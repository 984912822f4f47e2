-- One row per live repository, also without tags: what its live tags hold, alone and
-- shared, and the bytes allocated to it. docs/sizes.md defines them.
create or replace table reports.repository_sizes as
select
    repos.registry,
    repos.namespace,
    repos.repository,
    repos.crawl_status,
    repositories.is_public,
    sizes.tag_count,
    sizes.manifest_count,
    sizes.logical_bytes,
    sizes.deduplicated_bytes,
    sizes.saved_bytes,
    sizes.exclusive_bytes,
    sizes.shared_bytes,
    case when sizes.is_known then coalesce(shares.allocated_bytes, 0) end
        as allocated_bytes,
    sizes.dedup_ratio,
    sizes.size_basis,
    sizes.exclusive_basis,
    sizes.allocated_basis,
    repositories.api_size_bytes,
    repositories.api_tag_count,
    repositories.download_count,
    sizes.oldest_created_at,
    sizes.newest_created_at,
    sizes.oldest_updated_at,
    sizes.newest_updated_at,
    sizes.oldest_read_at,
    run.as_of
from intermediate.live_repositories as repos
inner join intermediate.scope_sizes as sizes
    on sizes.scope = 'repository' and repos.repository_key = sizes.scope_key
left join intermediate.repository_shares as shares
    on repos.repository_key = shares.repository_key
left join main.repositories
    on repos.registry = repositories.registry
    and repos.namespace = repositories.namespace
    and repos.repository = repositories.repository
cross join intermediate.latest_run as run
order by repos.repository_key;

comment on table reports.repository_sizes is 'One row per live repository, also without tags: what it holds, alone and shared.';
comment on column reports.repository_sizes.registry is 'Short name of the registry.';
comment on column reports.repository_sizes.namespace is 'Namespace (organization).';
comment on column reports.repository_sizes.repository is 'Repository name, with / where it has levels.';
comment on column reports.repository_sizes.crawl_status is 'How its latest crawl went: complete, unchanged, incomplete or failed; null if it was never crawled.';
comment on column reports.repository_sizes.is_public is 'Whether anyone may pull from it.';
comment on column reports.repository_sizes.tag_count is 'Live tags.';
comment on column reports.repository_sizes.manifest_count is 'Distinct manifests its live tags point at.';
comment on column reports.repository_sizes.logical_bytes is 'Sum of the logical bytes of its live tags; null when nothing is known of any.';
comment on column reports.repository_sizes.deduplicated_bytes is 'Bytes of the distinct stored blobs its live tags reach, each once.';
comment on column reports.repository_sizes.saved_bytes is 'logical_bytes - deduplicated_bytes: what sharing inside it saves.';
comment on column reports.repository_sizes.exclusive_bytes is 'The part of deduplicated_bytes no live tag of another repository reaches.';
comment on column reports.repository_sizes.shared_bytes is 'The part of deduplicated_bytes other repositories reach too.';
comment on column reports.repository_sizes.allocated_bytes is 'Each blob divided equally among the namespaces that use it, then among the repositories of each. All repositories add up to the registry''s deduplicated bytes.';
comment on column reports.repository_sizes.dedup_ratio is 'logical_bytes / deduplicated_bytes; null when there is nothing to divide by.';
comment on column reports.repository_sizes.size_basis is 'exact, lower_bound (something unread or of unknown size may add), estimate (something is in doubt) or unknown, for logical and deduplicated bytes.';
comment on column reports.repository_sizes.exclusive_basis is 'exact, lower_bound (something unread or of unknown size may add), upper_bound (something unread may use the same blobs), estimate (both, or something is in doubt) or unknown, for exclusive_bytes.';
comment on column reports.repository_sizes.api_size_bytes is 'Its size, according to the registry.';
comment on column reports.repository_sizes.api_tag_count is 'Its number of tags, according to the registry.';
comment on column reports.repository_sizes.download_count is 'Pulls, as the registry counts them.';
comment on column reports.repository_sizes.allocated_basis is 'The same, for allocated_bytes.';
comment on column reports.repository_sizes.oldest_created_at is 'Earliest created_at of a live tag.';
comment on column reports.repository_sizes.newest_created_at is 'Latest created_at of a live tag.';
comment on column reports.repository_sizes.oldest_updated_at is 'Earliest updated_at of a live tag.';
comment on column reports.repository_sizes.newest_updated_at is 'Latest updated_at of a live tag.';
comment on column reports.repository_sizes.oldest_read_at is 'as_of of the run that last proved it; null if none has.';
comment on column reports.repository_sizes.as_of is 'The moment this row describes: as_of of the latest run.';
