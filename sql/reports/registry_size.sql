-- Exactly one row, also for an empty warehouse: the ledger. Every stored byte is used by
-- one tag, several tags of one repository, several repositories of one namespace or
-- several namespaces. These four add up to deduplicated_bytes. See docs/sizes.md.
create or replace table reports.registry_size as
with
crawls as (
    select
        count(*) as repository_count,
        count(distinct namespace_key) as namespace_count,
        sum(case when is_complete then 1 else 0 end) as repositories_complete
    from intermediate.live_repositories
),

tags as (
    select
        sum(case when size_basis = 'exact' then 1 else 0 end) as exact_size_count,
        sum(case when reclaimable_basis = 'exact' then 1 else 0 end)
            as exact_reclaimable_count
    from reports.tag_sizes
),

gaps as (
    select count(*) as gap_count from reports.gaps
),

ledger as (
    select
        sum(case when tag_count = 1 then size_bytes end) as one_tag_bytes,
        sum(case when tag_count > 1 and repository_count = 1 then size_bytes end)
            as one_repository_bytes,
        sum(case when repository_count > 1 and namespace_count = 1 then size_bytes end)
            as one_namespace_bytes,
        sum(case when namespace_count > 1 then size_bytes end) as many_namespaces_bytes
    from intermediate.blob_users
)

select
    run.registry,
    run.run_id,
    run.as_of,
    crawls.namespace_count,
    crawls.repository_count,
    cast(coalesce(crawls.repositories_complete, 0) as bigint) as repositories_complete,
    run.unread_namespaces,
    run.unread_repositories,
    sizes.tag_count,
    reading.unread_tag_count,
    run.run_id is not null and gaps.gap_count = 0 as is_fully_read,
    cast(coalesce(tags.exact_size_count, 0) as bigint) as exact_size_tag_count,
    cast(coalesce(tags.exact_reclaimable_count, 0) as bigint)
        as exact_reclaimable_tag_count,
    sizes.manifest_count,
    sizes.blob_count,
    sizes.logical_bytes,
    sizes.deduplicated_bytes,
    sizes.saved_bytes,
    case
        when sizes.is_known
            then try_cast(coalesce(ledger.one_tag_bytes, 0) as bigint)
    end as one_tag_bytes,
    case
        when sizes.is_known
            then try_cast(coalesce(ledger.one_repository_bytes, 0) as bigint)
    end as one_repository_bytes,
    case
        when sizes.is_known
            then try_cast(coalesce(ledger.one_namespace_bytes, 0) as bigint)
    end as one_namespace_bytes,
    case
        when sizes.is_known
            then try_cast(coalesce(ledger.many_namespaces_bytes, 0) as bigint)
    end as many_namespaces_bytes,
    sizes.dedup_ratio,
    sizes.size_basis,
    case
        when not sizes.is_known then 'unknown'
        when gaps.gap_count = 0 then 'exact'
        else 'estimate'
    end as ledger_basis,
    sizes.oldest_created_at,
    sizes.newest_created_at,
    sizes.oldest_updated_at,
    sizes.newest_updated_at,
    sizes.oldest_read_at
from intermediate.scope_sizes as sizes
cross join ledger
cross join crawls
cross join tags
cross join gaps
cross join intermediate.reading
cross join intermediate.latest_run as run
where sizes.scope = 'registry';

comment on table reports.registry_size is 'Exactly one row: the ledger of the registry. Its bytes by who uses them add up to deduplicated_bytes.';
comment on column reports.registry_size.registry is 'Short name of the registry; null before the first run.';
comment on column reports.registry_size.run_id is 'The latest run; null before the first.';
comment on column reports.registry_size.as_of is 'The moment this row describes: as_of of the latest run.';
comment on column reports.registry_size.namespace_count is 'Namespaces with a live repository.';
comment on column reports.registry_size.repository_count is 'Live repositories, also without tags.';
comment on column reports.registry_size.repositories_complete is 'Of these, those whose latest crawl was complete or unchanged.';
comment on column reports.registry_size.unread_namespaces is 'Visible namespaces the latest run did not read.';
comment on column reports.registry_size.unread_repositories is 'Listed repositories outside the latest run''s scope.';
comment on column reports.registry_size.tag_count is 'Live tags.';
comment on column reports.registry_size.unread_tag_count is 'Live tags with a part that was not read: an unresolved child, an invalid or unknown manifest.';
comment on column reports.registry_size.is_fully_read is 'Whether nothing is unread and nothing in doubt: reports.gaps is empty, and every figure exact as of oldest_read_at.';
comment on column reports.registry_size.exact_size_tag_count is 'Live tags whose size is exact.';
comment on column reports.registry_size.exact_reclaimable_tag_count is 'Live tags of which it is exact what deleting them alone would give back.';
comment on column reports.registry_size.manifest_count is 'Distinct manifests live tags point at.';
comment on column reports.registry_size.blob_count is 'Distinct stored blobs live tags reach.';
comment on column reports.registry_size.logical_bytes is 'Sum of the logical bytes of all live tags; null when nothing is known of any.';
comment on column reports.registry_size.deduplicated_bytes is 'Bytes of the distinct stored blobs live tags reach, each once.';
comment on column reports.registry_size.saved_bytes is 'logical_bytes - deduplicated_bytes: what sharing saves.';
comment on column reports.registry_size.one_tag_bytes is 'Bytes of blobs one live tag reaches.';
comment on column reports.registry_size.one_repository_bytes is 'Bytes of blobs several tags of one repository reach.';
comment on column reports.registry_size.one_namespace_bytes is 'Bytes of blobs several repositories of one namespace reach.';
comment on column reports.registry_size.many_namespaces_bytes is 'Bytes of blobs several namespaces reach.';
comment on column reports.registry_size.dedup_ratio is 'logical_bytes / deduplicated_bytes; null when there is nothing to divide by.';
comment on column reports.registry_size.size_basis is 'exact, lower_bound (something unread or of unknown size may add), estimate (something is in doubt) or unknown, for logical and deduplicated bytes.';
comment on column reports.registry_size.ledger_basis is 'exact, estimate (something is unread or in doubt) or unknown, for saved bytes and the four that add up to deduplicated_bytes.';
comment on column reports.registry_size.oldest_created_at is 'Earliest created_at of a live tag.';
comment on column reports.registry_size.newest_created_at is 'Latest created_at of a live tag.';
comment on column reports.registry_size.oldest_updated_at is 'Earliest updated_at of a live tag.';
comment on column reports.registry_size.newest_updated_at is 'Latest updated_at of a live tag.';
comment on column reports.registry_size.oldest_read_at is 'as_of of the run that proved the repository proven longest ago; null if none ever was.';
