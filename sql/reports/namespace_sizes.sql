-- One row per namespace with a live repository: what its live tags hold, alone and
-- shared, and the bytes allocated to it. docs/sizes.md defines them.
create or replace table reports.namespace_sizes as
with namespaces as (
    select
        repos.namespace_key,
        repos.registry,
        repos.namespace,
        count(*) as repository_count,
        cast(sum(case when repos.is_complete then 1 else 0 end) as bigint)
            as repositories_complete,
        try_cast(coalesce(sum(shares.allocated_bytes), 0) as bigint)
            as allocated_bytes
    from intermediate.live_repositories as repos
    left join intermediate.repository_shares as shares
        on repos.repository_key = shares.repository_key
    group by repos.namespace_key, repos.registry, repos.namespace
)

select
    namespaces.registry,
    namespaces.namespace,
    namespaces.repository_count,
    namespaces.repositories_complete,
    sizes.tag_count,
    sizes.manifest_count,
    sizes.logical_bytes,
    sizes.deduplicated_bytes,
    sizes.saved_bytes,
    sizes.exclusive_bytes,
    sizes.shared_bytes,
    case when sizes.is_known then namespaces.allocated_bytes end as allocated_bytes,
    sizes.dedup_ratio,
    sizes.size_basis,
    sizes.exclusive_basis,
    sizes.allocated_basis,
    sizes.oldest_created_at,
    sizes.newest_created_at,
    sizes.oldest_updated_at,
    sizes.newest_updated_at,
    sizes.oldest_read_at,
    run.as_of
from namespaces
inner join intermediate.scope_sizes as sizes
    on sizes.scope = 'namespace' and namespaces.namespace_key = sizes.scope_key
cross join intermediate.latest_run as run
order by namespaces.namespace_key;

comment on table reports.namespace_sizes is 'One row per namespace with a live repository: what it holds, alone and shared.';
comment on column reports.namespace_sizes.registry is 'Short name of the registry.';
comment on column reports.namespace_sizes.namespace is 'Namespace (organization).';
comment on column reports.namespace_sizes.repository_count is 'Live repositories, also without tags.';
comment on column reports.namespace_sizes.repositories_complete is 'Of these, those whose latest crawl was complete or unchanged.';
comment on column reports.namespace_sizes.tag_count is 'Live tags.';
comment on column reports.namespace_sizes.manifest_count is 'Distinct manifests its live tags point at.';
comment on column reports.namespace_sizes.logical_bytes is 'Sum of the logical bytes of its live tags; null when nothing is known of any.';
comment on column reports.namespace_sizes.deduplicated_bytes is 'Bytes of the distinct stored blobs its live tags reach, each once.';
comment on column reports.namespace_sizes.saved_bytes is 'logical_bytes - deduplicated_bytes: what sharing inside it saves.';
comment on column reports.namespace_sizes.exclusive_bytes is 'The part of deduplicated_bytes no live tag of another namespace reaches.';
comment on column reports.namespace_sizes.shared_bytes is 'The part of deduplicated_bytes other namespaces reach too.';
comment on column reports.namespace_sizes.allocated_bytes is 'Each blob divided equally among the namespaces that use it: the sum of its repositories. All namespaces add up to the registry''s deduplicated bytes.';
comment on column reports.namespace_sizes.dedup_ratio is 'logical_bytes / deduplicated_bytes; null when there is nothing to divide by.';
comment on column reports.namespace_sizes.size_basis is 'exact, lower_bound (something unread or of unknown size may add), estimate (something is in doubt) or unknown, for logical and deduplicated bytes.';
comment on column reports.namespace_sizes.exclusive_basis is 'exact, lower_bound (something unread or of unknown size may add), upper_bound (something unread may use the same blobs), estimate (both, or something is in doubt) or unknown, for exclusive_bytes.';
comment on column reports.namespace_sizes.allocated_basis is 'The same, for allocated_bytes.';
comment on column reports.namespace_sizes.oldest_created_at is 'Earliest created_at of a live tag.';
comment on column reports.namespace_sizes.newest_created_at is 'Latest created_at of a live tag.';
comment on column reports.namespace_sizes.oldest_updated_at is 'Earliest updated_at of a live tag.';
comment on column reports.namespace_sizes.newest_updated_at is 'Latest updated_at of a live tag.';
comment on column reports.namespace_sizes.oldest_read_at is 'as_of of the run that proved the repository proven longest ago; null if none ever was.';
comment on column reports.namespace_sizes.as_of is 'The moment this row describes: as_of of the latest run.';
