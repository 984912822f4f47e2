-- One row per live tag, numbered in name order: its age on both clocks, and the digest it
-- says it follows, by its manifest or else by its name. A name has room for the first 64
-- digits of a digest.
create or replace table intermediate.aged_tags as
with dated as (
    select
        tags.*,
        repos.namespace_key,
        repos.repository_key,
        manifests.manifest_key,
        manifests.subject_digest,
        known_date(tags.created_at, run.as_of) as known_created_at,
        known_date(tags.updated_at, run.as_of) as known_updated_at,
        run.as_of,
        run.stale_days
    from main.tags
    inner join intermediate.live_repositories as repos
        on tags.registry = repos.registry
        and tags.namespace = repos.namespace
        and tags.repository = repos.repository
    inner join intermediate.manifest_keys as manifests
        on tags.manifest_digest = manifests.manifest_digest
    cross join intermediate.latest_run as run
)

select
    cast(
        row_number() over (order by registry, namespace, repository, tag) as bigint
    ) as tag_key,
    namespace_key,
    repository_key,
    manifest_key,
    registry,
    namespace,
    repository,
    tag,
    created_at,
    updated_at,
    known_date(pulled_at, as_of) as pulled_at,
    first_seen_at,
    api_size_bytes,
    known_created_at,
    known_updated_at,
    whole_days(known_created_at, as_of) as created_age_days,
    whole_days(known_updated_at, as_of) as updated_age_days,
    case
        when updated_age_days <= 7 then 1
        when updated_age_days <= 30 then 2
        when updated_age_days <= 90 then 3
        when updated_age_days <= 180 then 4
        when updated_age_days <= 365 then 5
        when updated_age_days > 365 then 6
        else 7
    end as bucket_number,
    coalesce(updated_age_days >= stale_days, false) as is_old,
    coalesce(
        subject_digest,
        case
            when
                substring(tag, 1, 7) in ('sha256-', 'sha512-')
                and length(tag) >= 71
                and translate(substring(tag, 8, 64), '0123456789abcdef', '') = ''
                then substring(tag, 1, 6) || ':' || substring(tag, 8, 64)
        end
    ) as named_digest
from dated;
