-- One row per thing that keeps a figure from being exact: a part of a live tag that
-- nobody has read or whose size is not known, and a repository or namespace of which
-- something is unread or in doubt. Without rows every figure is exact.
create or replace table reports.gaps as
with
open_manifests as (
    select
        manifest_key,
        manifest_digest,
        manifest_kind,
        is_unsized,
        first_run_key,
        first_seen_at
    from intermediate.manifest_keys
    where not is_readable or is_unsized
),

-- What the registry said of a manifest or blob that it could not give.
answers as (
    select
        pulls.kind,
        pulls.digest,
        max(
            case pulls.outcome
                when 'missing' then 'the registry does not have it, it said on '
                else 'what the registry gives is something else, as of '
            end || utc_day(pulls.asked_at)
        ) as words
    from ingest.pulls
    where pulls.outcome <> 'read'
    group by pulls.kind, pulls.digest
),

asking as (
    select max(runs.resolve_problem) as resolve_problem
    from intermediate.latest_run as latest
    left join ingest.runs on latest.run_id = runs.run_id
),

manifest_users as (
    select
        reached.node_key,
        min(tags.tag_key) as tag_key,
        count(*) as tag_count
    from intermediate.reached_manifests as reached
    inner join open_manifests as manifests on reached.node_key = manifests.manifest_key
    inner join intermediate.live_tags as tags on reached.root_key = tags.manifest_key
    group by reached.node_key
),

live_nodes as (
    select distinct reached.node_key
    from intermediate.reached_manifests as reached
    inner join intermediate.tagged_manifests as tagged
        on reached.root_key = tagged.manifest_key
),

-- The indexes that name a child nobody has read.
parents as (
    select platforms.manifest_digest, min(indexes.first_seen_at) as first_seen_at
    from main.platforms
    inner join intermediate.manifest_keys as indexes
        on platforms.index_digest = indexes.manifest_digest
    inner join live_nodes on indexes.manifest_key = live_nodes.node_key
    where
        platforms.manifest_digest in (
            select manifest_digest from open_manifests where first_run_key is null
        )
    group by platforms.manifest_digest
),

manifest_gaps as (
    select
        users.tag_key,
        users.tag_count,
        manifests.manifest_digest,
        coalesce(manifests.first_seen_at, parents.first_seen_at) as since,
        case
            when manifests.first_run_key is null then 'unread_child'
            when manifests.is_unsized then 'size_unknown'
            else manifests.manifest_kind || '_manifest'
        end as kind,
        case
            when manifests.first_run_key is null
                then
                    'nobody has read it: '
                    || coalesce(
                        answers.words,
                        asking.resolve_problem,
                        'it is left for the next run'
                    )
            when manifests.is_unsized then 'schema 1 states no sizes'
            else coalesce(texts.problem, 'not understood')
        end as detail
    from manifest_users as users
    inner join open_manifests as manifests on users.node_key = manifests.manifest_key
    left join parents on manifests.manifest_digest = parents.manifest_digest
    left join main.manifests as texts
        on manifests.manifest_digest = texts.manifest_digest
    left join answers
        on manifests.manifest_digest = answers.digest and answers.kind = 'manifest'
    cross join asking
),

open_blobs as (
    select blob_key, size_bytes, largest_size_bytes
    from intermediate.stored_blobs
    where is_uncertain
),

open_blob_users as (
    select
        blobs.blob_key,
        min(tags.tag_key) as tag_key,
        count(*) as tag_count
    from open_blobs as blobs
    inner join intermediate.manifest_blobs as contents
        on blobs.blob_key = contents.blob_key
    inner join intermediate.live_tags as tags on contents.root_key = tags.manifest_key
    group by blobs.blob_key
),

blob_namers as (
    select
        blobs.blob_key,
        min(manifests.manifest_digest) as manifest_digest,
        min(manifests.first_seen_at) as since
    from open_blobs as blobs
    inner join intermediate.blob_statements as statements
        on blobs.blob_key = statements.blob_key
    inner join live_nodes on statements.manifest_key = live_nodes.node_key
    inner join intermediate.manifest_keys as manifests
        on statements.manifest_key = manifests.manifest_key
    where statements.is_readable
    group by blobs.blob_key
),

found as (
    select
        gaps.kind,
        tags.registry,
        tags.namespace,
        tags.repository,
        tags.tag,
        gaps.manifest_digest,
        gaps.detail,
        gaps.tag_count,
        gaps.since
    from manifest_gaps as gaps
    inner join intermediate.live_tags as tags on gaps.tag_key = tags.tag_key
    union all
    select
        case when blobs.size_bytes is null then 'size_unknown' else 'size_conflict' end
            as kind,
        tags.registry,
        tags.namespace,
        tags.repository,
        tags.tag,
        namers.manifest_digest,
        case
            when blobs.size_bytes is null
                then
                    'no manifest states the size of ' || keys.blob_digest
                    || coalesce(': ' || answers.words, '')
            else
                'manifests state from ' || blobs.size_bytes || ' to '
                || blobs.largest_size_bytes || ' bytes for ' || keys.blob_digest
        end as detail,
        users.tag_count,
        namers.since
    from open_blob_users as users
    inner join open_blobs as blobs on users.blob_key = blobs.blob_key
    inner join blob_namers as namers on users.blob_key = namers.blob_key
    inner join intermediate.blob_keys as keys on users.blob_key = keys.blob_key
    left join answers on keys.blob_digest = answers.digest and answers.kind = 'blob'
    inner join intermediate.live_tags as tags on users.tag_key = tags.tag_key
    union all
    select
        gaps.kind,
        repos.registry,
        repos.namespace,
        repos.repository,
        gaps.tag,
        null as manifest_digest,
        gaps.detail,
        0 as tag_count,
        gaps.since
    from intermediate.repository_gaps as gaps
    inner join intermediate.live_repositories as repos
        on gaps.repository_key = repos.repository_key
    union all
    select
        'namespace_not_read' as kind,
        registry,
        namespace,
        null as repository,
        null as tag,
        null as manifest_digest,
        detail,
        0 as tag_count,
        since
    from intermediate.namespace_gaps
)

select
    found.registry,
    found.kind,
    found.namespace,
    found.repository,
    found.tag,
    found.manifest_digest,
    found.detail,
    found.tag_count as affected_tag_count,
    found.since,
    remedies.remedy
from found
inner join (
    values
    ('unread_child', 'Let runs pull it (SWR_RESOLVE), or give it a tag of its own.'),
    ('invalid_manifest', 'Push the image again, or delete its tag.'),
    ('unknown_manifest', 'Push it as a type docs/sizes.md names, or delete its tag.'),
    ('rejected_record', 'See its text in ingest.rejected_records; push the tag again.'),
    ('size_unknown', 'Let runs ask for it (SWR_RESOLVE), or push the image again.'),
    ('size_conflict', 'Push again the image whose manifest states a wrong size.'),
    ('repository_incomplete', 'Run again while nobody pushes to it.'),
    ('repository_never_read', 'Run with it in scope; see its error in ingest.crawls.'),
    ('repository_too_old', 'Run with it in scope; forget it if it cannot be read.'),
    ('repository_not_confirmed', 'Check permissions; forget it if it is gone.'),
    ('namespace_not_read', 'Run with it in scope, with permission to list it.'),
    ('list_contradicted', 'Run again later; ask SWR if its list stays short.')
) as remedies (kind, remedy) on found.kind = remedies.kind
order by
    found.registry,
    found.kind,
    found.namespace,
    found.repository nulls last,
    found.tag nulls last,
    found.manifest_digest nulls last,
    found.detail;

comment on table reports.gaps is 'One row per thing that keeps a figure from being exact. Without rows every figure is.';
comment on column reports.gaps.registry is 'Short name of the registry.';
comment on column reports.gaps.kind is 'unread_child, invalid_manifest, unknown_manifest, rejected_record, size_unknown, size_conflict, repository_incomplete, repository_never_read, repository_too_old, repository_not_confirmed, namespace_not_read or list_contradicted.';
comment on column reports.gaps.namespace is 'Namespace of the repository, or of the first live tag concerned.';
comment on column reports.gaps.repository is 'Its repository; null for a namespace.';
comment on column reports.gaps.tag is 'The first live tag concerned, by namespace, repository and tag; the tag of a rejected record; null for a repository or namespace.';
comment on column reports.gaps.manifest_digest is 'The manifest that is not read or states no sizes; of a blob the first, by digest, of the live ones that name it; null for all others.';
comment on column reports.gaps.detail is 'What is not known, in words.';
comment on column reports.gaps.affected_tag_count is 'Live tags whose size is not exact because of it.';
comment on column reports.gaps.since is 'Since when it is so: when the manifest that names or is it was first read, the repository last proven, first listed or first missed; null where that is not known.';
comment on column reports.gaps.remedy is 'What to do.';
