-- One row per live tag, numbered in name order: its age on both clocks, and the digest it
-- follows if it is a signature, attestation or SBOM.
create or replace temp table aged_tags as
select
    cast(
        row_number() over (order by tags.namespace, tags.repository, tags.tag) as integer
    ) as tag_key,
    repos.namespace_key,
    repos.repository_key,
    manifests.manifest_key,
    tags.namespace,
    tags.repository,
    tags.tag,
    tags.created_at,
    tags.updated_at,
    whole_days(tags.created_at, run.as_of) as created_age_days,
    whole_days(tags.updated_at, run.as_of) as updated_age_days,
    case
        when updated_age_days <= 7 then 1
        when updated_age_days <= 30 then 2
        when updated_age_days <= 90 then 3
        when updated_age_days <= 180 then 4
        when updated_age_days <= 365 then 5
        when updated_age_days > 365 then 6
    end as bucket_number,
    coalesce(
        manifests.subject_digest,
        case
            when
                substring(tags.tag, 1, 7) = 'sha256-'
                and translate(substring(tags.tag, 8, 64), '0123456789abcdef', '') = ''
                and substring(tags.tag, 72) in ('.sig', '.att', '.sbom')
                then 'sha256:' || substring(tags.tag, 8, 64)
        end
    ) as subject_digest
from main.tags
inner join live_repositories as repos
    on tags.namespace = repos.namespace and tags.repository = repos.repository
inner join manifest_keys as manifests
    on tags.manifest_digest = manifests.manifest_digest
cross join latest_run as run;
