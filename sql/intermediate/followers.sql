-- One row per live tag that follows a subject, wherever that lives: a signature, an
-- attestation, an SBOM, a scan result. subject_key is null if no tag or index ever
-- named it, is_seen is whether it was read. A tag that says a manifest which it reaches
-- itself follows nothing.
create or replace table intermediate.followers as
with
found as (
    select tags.tag_key, subjects.manifest_digest
    from intermediate.aged_tags as tags
    inner join intermediate.manifest_keys as subjects
        on tags.named_digest = subjects.manifest_digest
    union all
    select tags.tag_key, min(subjects.manifest_digest) as manifest_digest
    from intermediate.aged_tags as tags
    inner join intermediate.manifest_keys as subjects
        on tags.named_digest = substring(subjects.manifest_digest, 1, 71)
        and substring(subjects.manifest_digest, 1, 7) = 'sha512:'
        and length(subjects.manifest_digest) > 71
    group by tags.tag_key
)

select
    tags.tag_key,
    subjects.manifest_key as subject_key,
    subjects.first_run_key is not null as is_seen,
    coalesce(found.manifest_digest, tags.named_digest) as subject_digest
from intermediate.aged_tags as tags
left join found on tags.tag_key = found.tag_key
left join intermediate.manifest_keys as subjects
    on found.manifest_digest = subjects.manifest_digest
left join intermediate.reached_manifests as own
    on tags.manifest_key = own.root_key and subjects.manifest_key = own.node_key
where tags.named_digest is not null and own.root_key is null;
