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
    select
        'manifest_problem' as finding,
        manifest_digest,
        null as child_digest,
        problem as detail
    from main.manifests
    where manifest_kind not in ('invalid', 'unknown') and problem is not null
    union all
    select distinct
        'unresolved_child' as finding,
        platforms.index_digest as manifest_digest,
        platforms.manifest_digest as child_digest,
        'nobody has read this child' as detail
    from main.platforms
    left join main.manifests on platforms.manifest_digest = manifests.manifest_digest
    where manifests.manifest_digest is null and not coalesce(platforms.is_blob, false)
    union all
    select distinct
        'child_length_mismatch' as finding,
        platforms.index_digest as manifest_digest,
        platforms.manifest_digest as child_digest,
        'the index states ' || platforms.manifest_bytes || ' bytes, the child has '
        || manifests.manifest_bytes as detail
    from main.platforms
    inner join main.manifests on platforms.manifest_digest = manifests.manifest_digest
    where
        platforms.manifest_bytes <> manifests.manifest_bytes
        and not coalesce(platforms.is_blob, false)
),

manifest_users as (
    select
        manifests.manifest_digest,
        min(tags.tag_key) as tag_key,
        count(*) as tag_count
    from intermediate.manifest_keys as manifests
    inner join intermediate.reached_manifests as reached
        on manifests.manifest_key = reached.node_key
    inner join intermediate.live_tags as tags on reached.root_key = tags.manifest_key
    where manifests.manifest_digest in (select manifest_digest from manifest_findings)
    group by manifests.manifest_digest
),

conflicts as (
    select blob_key, size_bytes, largest_size_bytes
    from intermediate.stored_blobs
    where size_bytes <> largest_size_bytes
),

blob_owners as (
    select
        conflicts.blob_key,
        min(tags.tag_key) as tag_key,
        count(*) as tag_count
    from conflicts
    inner join intermediate.manifest_blobs as contents
        on conflicts.blob_key = contents.blob_key
    inner join intermediate.live_tags as tags on contents.root_key = tags.manifest_key
    group by conflicts.blob_key
),

-- Sizes that the registry says of an image and that are not the bytes of its distinct
-- stored blobs. It may also count a layer once for each place it is listed at, and all
-- layers, those that are held, or those that the manifest itself calls stored.
denied as (
    select
        tags.registry,
        tags.namespace,
        tags.repository,
        tags.tag,
        sizes.manifest_digest,
        tags.api_size_bytes,
        sizes.logical_bytes
    from intermediate.live_tags as tags
    inner join intermediate.judged_manifests as sizes
        on tags.manifest_key = sizes.manifest_key
    where
        sizes.manifest_kind = 'image'
        and sizes.size_basis = 'exact'
        and tags.api_size_bytes <> sizes.logical_bytes
),

denied_layers as (
    select manifest_digest, unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
    where manifest_digest in (select manifest_digest from denied)
),

layer_places as (
    select
        listed.manifest_digest,
        layers.blob_digest,
        min(layers.size_bytes) as distinct_bytes,
        sum(layers.size_bytes) as listed_bytes,
        bool_or(layers.is_stored) as is_listed_stored,
        bool_or(stored.blob_key is not null) as is_stored
    from denied_layers as listed
    inner join ingest.layer_prefixes as layers on listed.prefix_key = layers.prefix_key
    inner join intermediate.blob_keys as keys on layers.blob_digest = keys.blob_digest
    left join intermediate.stored_blobs as stored on keys.blob_key = stored.blob_key
    group by listed.manifest_digest, layers.blob_digest
),

listed_sizes as (
    select
        manifest_digest,
        sum(distinct_bytes) as distinct_bytes,
        sum(listed_bytes) as listed_bytes,
        sum(case when is_stored then distinct_bytes else 0 end) as distinct_held_bytes,
        sum(case when is_stored then listed_bytes else 0 end) as listed_held_bytes,
        sum(case when is_listed_stored then distinct_bytes else 0 end)
            as distinct_own_bytes,
        sum(case when is_listed_stored then listed_bytes else 0 end) as listed_own_bytes
    from layer_places
    group by manifest_digest
),

allowed as (
    select distinct denied.manifest_digest, denied.api_size_bytes
    from denied
    inner join main.manifests on denied.manifest_digest = manifests.manifest_digest
    left join listed_sizes as sizes on denied.manifest_digest = sizes.manifest_digest
    where
        denied.api_size_bytes - coalesce(manifests.config_bytes, 0)
        in (
            coalesce(sizes.distinct_bytes, 0),
            coalesce(sizes.listed_bytes, 0),
            coalesce(sizes.distinct_held_bytes, 0),
            coalesce(sizes.listed_held_bytes, 0),
            coalesce(sizes.distinct_own_bytes, 0),
            coalesce(sizes.listed_own_bytes, 0)
        )
),

tag_findings as (
    select
        'api_size_mismatch' as finding,
        denied.registry,
        denied.namespace,
        denied.repository,
        denied.tag,
        denied.manifest_digest,
        'the registry says ' || denied.api_size_bytes || ' bytes, the manifest '
        || denied.logical_bytes as detail
    from denied
    left join allowed
        on denied.manifest_digest = allowed.manifest_digest
        and denied.api_size_bytes = allowed.api_size_bytes
    where allowed.manifest_digest is null
    union all
    select
        'unreadable_field' as finding,
        registry,
        namespace,
        repository,
        tag,
        manifest_digest,
        'cannot be read: ' || unreadable_fields as detail
    from main.tags
    where unreadable_fields is not null
    union all
    select
        'date_out_of_range' as finding,
        tags.registry,
        tags.namespace,
        tags.repository,
        tags.tag,
        manifests.manifest_digest,
        case
            when tags.known_updated_at is not null
                then 'created_at is no date: ' || utc_day(tags.created_at)
            when tags.created_at is null or tags.known_created_at is not null
                then 'updated_at is no date: ' || utc_day(tags.updated_at)
            else
                'neither is a date: created_at ' || utc_day(tags.created_at)
                || ', updated_at ' || utc_day(tags.updated_at)
        end as detail
    from intermediate.live_tags as tags
    inner join intermediate.manifest_keys as manifests
        on tags.manifest_key = manifests.manifest_key
    where
        (tags.created_at is not null and tags.known_created_at is null)
        or tags.known_updated_at is null
    union all
    select
        'updated_in_the_future' as finding,
        tags.registry,
        tags.namespace,
        tags.repository,
        tags.tag,
        manifests.manifest_digest,
        'updated_at is later than this run by '
        || (epoch_us(tags.updated_at) - epoch_us(run.as_of)) // 1000000
        || ' seconds' as detail
    from intermediate.live_tags as tags
    inner join intermediate.manifest_keys as manifests
        on tags.manifest_key = manifests.manifest_key
    cross join intermediate.latest_run as run
    where tags.updated_at > run.as_of + interval '1' minute
    union all
    select
        'rule_takes_what_runs' as finding,
        tags.registry,
        tags.namespace,
        tags.repository,
        tags.tag,
        manifests.manifest_digest,
        case
            when ruled.goes_in_days = 0 then 'its retention rule takes it now'
            else 'its retention rule takes it in ' || ruled.goes_in_days || ' days'
        end || ', and it was seen in ' || seen.clusters as detail
    from intermediate.ruled_tags as ruled
    inner join (
        select tag_key, string_agg(cluster, ', ' order by cluster) as clusters
        from intermediate.tag_uses
        group by tag_key
    ) as seen on ruled.tag_key = seen.tag_key
    inner join intermediate.live_tags as tags on ruled.tag_key = tags.tag_key
    inner join intermediate.manifest_keys as manifests
        on ruled.manifest_key = manifests.manifest_key
    where ruled.goes_in_days <= 30
),

-- All that a list of tags holds: live tags, and records that count but are none.
listed_names as (
    select registry, namespace, repository, count(*) as name_count
    from (
        select registry, namespace, repository, tag as record_key from main.tags
        union
        select registry, namespace, repository, record_key from ingest.counted_records
    ) as names
    group by registry, namespace, repository
),

-- Counts of the whole account, held against what a run that read all of it has listed.
service_counts as (
    select
        run.registry,
        'the service counts ' || said.repository_count || ' repositories, its lists show '
        || counted.repository_count as detail
    from ingest.service_figures as said
    inner join intermediate.latest_run as run on said.run_id = run.run_id
    inner join ingest.runs on run.run_id = runs.run_id
    cross join (
        select count(*) as repository_count from intermediate.live_repositories
    ) as counted
    where
        runs.status = 'complete'
        and runs.unread_namespaces = 0
        and said.repository_count <> counted.repository_count
    union all
    select
        run.registry,
        'the service counts ' || said.tag_count || ' images, its lists of tags '
        || counted.tag_count as detail
    from ingest.service_figures as said
    inner join intermediate.latest_run as run on said.run_id = run.run_id
    inner join ingest.runs on run.run_id = runs.run_id
    cross join (
        select coalesce(sum(name_count), 0) as tag_count from listed_names
    ) as counted
    where
        runs.status = 'complete'
        and runs.unread_namespaces = 0
        and runs.unread_repositories = 0
        and said.tag_count <> counted.tag_count
),

-- The unit of the service's storage is not documented: bytes, or thousands, millions and
-- so on of them, to one in a hundred.
service_storage as (
    select
        run.registry,
        'the service says ' || said.stored || ' in a unit that is not documented, its '
        || 'repositories add up to ' || listed.api_size_bytes || ' bytes' as detail
    from ingest.service_figures as said
    inner join intermediate.latest_run as run on said.run_id = run.run_id
    inner join ingest.runs on run.run_id = runs.run_id
    cross join (
        select coalesce(sum(api_size_bytes), 0) as api_size_bytes
        from main.repositories
        where deleted_detected_at is null
    ) as listed
    where
        runs.status = 'complete'
        and runs.unread_namespaces = 0
        and said.stored is not null
        and not exists (
            select 1
            from (
                values (1), (1000), (1024), (1000000), (1048576), (1000000000),
                (1073741824)
            ) as units (unit_bytes)
            where
                abs(said.stored * units.unit_bytes - listed.api_size_bytes)
                <= listed.api_size_bytes * 0.01
        )
),

-- Sums that no BIGINT holds.
scopes_beyond as (
    select distinct
        repos.registry,
        case when sizes.scope <> 'registry' then repos.namespace end as namespace,
        case when sizes.scope = 'repository' then repos.repository end as repository
    from intermediate.set_sizes as sizes
    inner join intermediate.live_repositories as repos
        on sizes.scope = 'registry'
        or (sizes.scope = 'namespace' and sizes.scope_key = repos.namespace_key)
        or (sizes.scope = 'repository' and sizes.scope_key = repos.repository_key)
    where sizes.choice = 'all' and sizes.is_beyond
),

found as (
    select
        manifest_findings.finding,
        tags.registry,
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
    left join intermediate.live_tags as tags on manifest_users.tag_key = tags.tag_key
    union all
    select
        'conflicting_blob_size' as finding,
        tags.registry,
        tags.namespace,
        tags.repository,
        tags.tag,
        blobs.blob_digest as digest,
        null as child_digest,
        'manifests state from ' || conflicts.size_bytes || ' to '
        || conflicts.largest_size_bytes || ' bytes' as detail,
        coalesce(blob_owners.tag_count, 0) as live_tag_count
    from conflicts
    inner join intermediate.blob_keys as blobs on conflicts.blob_key = blobs.blob_key
    left join blob_owners on conflicts.blob_key = blob_owners.blob_key
    left join intermediate.live_tags as tags on blob_owners.tag_key = tags.tag_key
    union all
    select
        finding,
        registry,
        namespace,
        repository,
        tag,
        manifest_digest as digest,
        null as child_digest,
        detail,
        1 as live_tag_count
    from tag_findings
    union all
    select
        'crawl_' || coalesce(nullif(crawl_status, 'missing'), 'never') as finding,
        registry,
        namespace,
        repository,
        null as tag,
        null as digest,
        null as child_digest,
        coalesce(crawl_error, 'no reason recorded') as detail,
        null as live_tag_count
    from intermediate.live_repositories
    where not is_complete
    union all
    select
        'rejected_record' as finding,
        rejected.registry,
        rejected.namespace,
        rejected.repository,
        null as tag,
        null as digest,
        null as child_digest,
        rejected.reason as detail,
        null as live_tag_count
    from ingest.rejected_records as rejected
    inner join intermediate.latest_run as run on rejected.run_id = run.run_id
    union all
    select
        'api_tag_count_mismatch' as finding,
        repos.registry,
        repos.namespace,
        repos.repository,
        null as tag,
        null as digest,
        null as child_digest,
        'the registry counts ' || repositories.api_tag_count || ' tags, its list has '
        || names.name_count as detail,
        null as live_tag_count
    from intermediate.live_repositories as repos
    inner join main.repositories
        on repos.registry = repositories.registry
        and repos.namespace = repositories.namespace
        and repos.repository = repositories.repository
    inner join intermediate.latest_run as run on repos.read_at = run.as_of
    inner join listed_names as names
        on repos.registry = names.registry
        and repos.namespace = names.namespace
        and repos.repository = names.repository
    where names.name_count > repositories.api_tag_count
    union all
    select
        'service_count_mismatch' as finding,
        registry,
        null as namespace,
        null as repository,
        null as tag,
        null as digest,
        null as child_digest,
        detail,
        null as live_tag_count
    from service_counts
    union all
    select
        'service_storage_mismatch' as finding,
        registry,
        null as namespace,
        null as repository,
        null as tag,
        null as digest,
        null as child_digest,
        detail,
        null as live_tag_count
    from service_storage
    union all
    select
        'sum_beyond_bigint' as finding,
        registry,
        namespace,
        repository,
        null as tag,
        null as digest,
        null as child_digest,
        'the bytes of its tags add up to more than 2^63 - 1' as detail,
        null as live_tag_count
    from scopes_beyond
)

select
    found.registry,
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
cross join intermediate.latest_run as run
order by
    found.finding,
    found.registry nulls last,
    found.namespace nulls last,
    found.repository nulls last,
    found.tag nulls last,
    found.digest nulls last,
    found.child_digest nulls last,
    found.detail;

comment on table reports.integrity is 'One row per finding: where the registry contradicts itself, or could not be read or understood.';
comment on column reports.integrity.registry is 'Short name of the registry; null when no live tag is concerned.';
comment on column reports.integrity.finding is 'digest_mismatch, invalid_manifest, unknown_manifest, manifest_problem, unresolved_child, child_length_mismatch, conflicting_blob_size, api_size_mismatch, unreadable_field, date_out_of_range, updated_in_the_future, crawl_incomplete, crawl_failed, crawl_never, rejected_record, api_tag_count_mismatch, service_count_mismatch, service_storage_mismatch or sum_beyond_bigint.';
comment on column reports.integrity.namespace is 'Namespace of the first live tag concerned, or of the repository; null when no live tag is.';
comment on column reports.integrity.repository is 'Its repository.';
comment on column reports.integrity.tag is 'The first live tag concerned, by namespace, repository and tag; null for findings on a repository.';
comment on column reports.integrity.digest is 'The manifest, index or blob.';
comment on column reports.integrity.child_digest is 'The child, for findings on an index and one of its children.';
comment on column reports.integrity.detail is 'What is wrong, in words.';
comment on column reports.integrity.live_tag_count is 'Live tags that reach the manifest or blob; null for findings on a repository.';
comment on column reports.integrity.as_of is 'The moment this row describes: as_of of the latest run.';
