-- One row per live tag, numbered in name order: its ages in whole days of 24 hours, and
-- the manifest it follows if it is a signature, attestation or bill of materials.
create or replace temp table aged_tags as
with
tags as (select * from main.tags),
manifest_keys as (select * from manifest_keys),
repos as (select * from live_repositories),
latest_run as (select * from latest_run),

resolved as (
    select
        repos.repository_key,
        manifest_keys.manifest_key,
        tags.namespace,
        tags.repository,
        tags.tag,
        tags.created_at,
        tags.updated_at,
        epoch_us(latest_run.as_of) - epoch_us(tags.created_at) as created_age,
        epoch_us(latest_run.as_of) - epoch_us(tags.updated_at) as updated_age,
        coalesce(
            manifest_keys.subject_digest,
            case
                when
                    substring(tags.tag, 1, 7) = 'sha256-'
                    and translate(substring(tags.tag, 8, 64), '0123456789abcdef', '') = ''
                    and substring(tags.tag, 72) in ('.sig', '.att', '.sbom')
                    then 'sha256:' || substring(tags.tag, 8, 64)
            end
        ) as subject_digest
    from tags
    inner join repos
        on tags.namespace = repos.namespace and tags.repository = repos.repository
    inner join manifest_keys on tags.manifest_digest = manifest_keys.manifest_digest
    cross join latest_run
),

aged as (
    select
        *,
        case
            when created_age < 0 then 0
            else cast(floor(created_age / 86400000000) as integer)
        end as created_age_days,
        case
            when updated_age < 0 then 0
            else cast(floor(updated_age / 86400000000) as integer)
        end as updated_age_days
    from resolved
)

select
    cast(row_number() over (order by namespace, repository, tag) as integer) as tag_key,
    repository_key,
    manifest_key,
    namespace,
    repository,
    tag,
    created_at,
    updated_at,
    created_age_days,
    updated_age_days,
    case
        when updated_age_days <= 7 then 1
        when updated_age_days <= 30 then 2
        when updated_age_days <= 90 then 3
        when updated_age_days <= 180 then 4
        when updated_age_days <= 365 then 5
        when updated_age_days > 365 then 6
    end as bucket_number,
    subject_digest
from aged;
