-- One row per finding: where the registry contradicts itself, or could not be read or
-- understood. A finding on a manifest or blob names the first live tag, in name order,
-- that reaches it. None means that only past tags did.
create or replace table reports.integrity as
with
manifest_findings as (
    select
        'digest_mismatch' as finding,
        manifest_digest,
        cast(null as varchar) as child_digest,
        'the text''s digest is not the one the registry says' as detail
    from main.manifests
    where not digest_verified
    union all
    select
        manifest_kind || '_manifest' as finding,
        manifest_digest,
        null as child_digest,
        coalesce(problem, 'not understood') as detail
    from main.manifests
    where manifest_kind in ('invalid', 'unknown')
    union all
    select distinct
        'unresolved_child' as finding,
        platforms.index_digest as manifest_digest,
        platforms.manifest_digest as child_digest,
        'no tag ever showed this child' as detail
    from main.platforms
    left join main.manifests on platforms.manifest_digest = manifests.manifest_digest
    where manifests.manifest_digest is null
    union all
    select distinct
        'child_length_mismatch' as finding,
        platforms.index_digest as manifest_digest,
        platforms.manifest_digest as child_digest,
        'the index states ' || platforms.manifest_bytes || ' bytes, the child has '
        || manifests.manifest_bytes as detail
    from main.platforms
    inner join main.manifests on platforms.manifest_digest = manifests.manifest_digest
    where platforms.manifest_bytes <> manifests.manifest_bytes
),

manifest_users as (
    select
        manifests.manifest_digest,
        min(tags.tag_key) as tag_key,
        count(*) as tag_count
    from manifest_keys as manifests
    inner join reached_manifests as reached
        on manifests.manifest_key = reached.node_key
    inner join live_tags as tags on reached.root_key = tags.manifest_key
    where manifests.manifest_digest in (select manifest_digest from manifest_findings)
    group by manifests.manifest_digest
),

conflicts as (
    select blob_key, size_bytes, largest_size_bytes
    from stored_blobs
    where size_bytes <> largest_size_bytes
),

blob_owners as (
    select
        conflicts.blob_key,
        min(tags.tag_key) as tag_key,
        count(*) as tag_count
    from conflicts
    inner join manifest_blobs as contents on conflicts.blob_key = contents.blob_key
    inner join live_tags as tags on contents.root_key = tags.manifest_key
    group by conflicts.blob_key
),

found as (
    select
        manifest_findings.finding,
        tags.namespace,
        tags.repository,
        tags.tag,
        manifest_findings.manifest_digest as digest,
        manifest_findings.child_digest,
        manifest_findings.detail,
        coalesce(manifest_users.tag_count, 0) as live_tag_count
    from manifest_findings
    left join manifest_users
        on manifest_findings.manifest_digest = manifest_users.manifest_digest
    left join live_tags as tags on manifest_users.tag_key = tags.tag_key
    union all
    select
        'conflicting_blob_size' as finding,
        tags.namespace,
        tags.repository,
        tags.tag,
        blobs.blob_digest as digest,
        null as child_digest,
        'manifests state from ' || conflicts.size_bytes || ' to '
        || conflicts.largest_size_bytes || ' bytes' as detail,
        coalesce(blob_owners.tag_count, 0) as live_tag_count
    from conflicts
    inner join blob_keys as blobs on conflicts.blob_key = blobs.blob_key
    left join blob_owners on conflicts.blob_key = blob_owners.blob_key
    left join live_tags as tags on blob_owners.tag_key = tags.tag_key
    union all
    select
        'api_size_mismatch' as finding,
        tags.namespace,
        tags.repository,
        tags.tag,
        tags.manifest_digest as digest,
        null as child_digest,
        'the registry says ' || tags.api_size_bytes || ' bytes, the manifest '
        || sizes.logical_bytes as detail,
        1 as live_tag_count
    from main.tags
    inner join reports.tag_sizes as sizes
        on tags.namespace = sizes.namespace
        and tags.repository = sizes.repository
        and tags.tag = sizes.tag
    where
        sizes.manifest_kind = 'image'
        and sizes.size_basis = 'exact'
        and tags.api_size_bytes <> sizes.logical_bytes
    union all
    select
        'crawl_' || coalesce(crawl_status, 'never') as finding,
        namespace,
        repository,
        null as tag,
        null as digest,
        null as child_digest,
        coalesce(crawl_error, 'no reason recorded') as detail,
        null as live_tag_count
    from live_repositories
    where not is_complete
    union all
    select
        'rejected_record' as finding,
        rejected.namespace,
        rejected.repository,
        null as tag,
        null as digest,
        null as child_digest,
        rejected.reason as detail,
        null as live_tag_count
    from ingest.rejected_records as rejected
    inner join latest_run as run on rejected.run_id = run.run_id
)

select
    found.finding,
    found.namespace,
    found.repository,
    found.tag,
    found.digest,
    found.child_digest,
    found.detail,
    found.live_tag_count,
    run.as_of
from found
cross join latest_run as run
order by
    found.finding,
    found.namespace nulls last,
    found.repository nulls last,
    found.tag nulls last,
    found.digest nulls last,
    found.child_digest nulls last,
    found.detail;

comment on table reports.integrity is 'One row per finding: where the registry contradicts itself, or could not be read or understood.';
comment on column reports.integrity.finding is 'digest_mismatch, invalid_manifest, unknown_manifest, unresolved_child, child_length_mismatch, conflicting_blob_size, api_size_mismatch, crawl_incomplete, crawl_failed, crawl_never or rejected_record.';
comment on column reports.integrity.namespace is 'Namespace of the first live tag concerned, or of the repository; null when no live tag is.';
comment on column reports.integrity.repository is 'Its repository.';
comment on column reports.integrity.tag is 'The first live tag concerned, by namespace, repository and tag; null for findings on a repository.';
comment on column reports.integrity.digest is 'The manifest, index or blob.';
comment on column reports.integrity.child_digest is 'The child, for findings on an index and one of its children.';
comment on column reports.integrity.detail is 'What is wrong, in words.';
comment on column reports.integrity.live_tag_count is 'Live tags that reach the manifest or blob; null for findings on a repository.';
comment on column reports.integrity.as_of is 'The moment this row describes: as_of of the latest run.';
