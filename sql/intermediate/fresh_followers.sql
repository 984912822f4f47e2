-- One row per live tag that follows a subject (signature, attestation or SBOM) of which a
-- live tag is not stale. A follower may follow another one.
create or replace temp table fresh_followers as
with recursive
followed as (
    select
        followers.tag_key,
        tags.tag_key as followed_key,
        tags.subject_digest is not null as is_follower,
        tags.updated_age_days
    from aged_tags as followers
    inner join manifest_keys as subjects
        on followers.subject_digest = subjects.manifest_digest
    inner join reached_manifests as reached on subjects.manifest_key = reached.node_key
    inner join aged_tags as tags
        on reached.root_key = tags.manifest_key
        and followers.repository_key = tags.repository_key
),

walk as (
    select tag_key, followed_key, is_follower, updated_age_days from followed
    union
    select
        walk.tag_key,
        followed.followed_key,
        followed.is_follower,
        followed.updated_age_days
    from walk
    inner join followed on walk.followed_key = followed.tag_key
)

select distinct walk.tag_key
from walk
cross join latest_run as run
where not walk.is_follower and walk.updated_age_days < run.stale_days;
