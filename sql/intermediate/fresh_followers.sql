-- One row per live tag that follows a subject (signature, attestation, bill of materials)
-- of which a live tag is not stale. What follows a follower follows on.
create or replace temp table fresh_followers as
with recursive
tags as (select * from aged_tags),
manifests as (select * from manifest_keys),
reached as (select * from reached_manifests),
latest_run as (select * from latest_run),

followers as (
    select tags.tag_key, tags.repository_key, manifests.manifest_key as subject_key
    from tags
    inner join manifests on tags.subject_digest = manifests.manifest_digest
),

followed as (
    select
        followers.tag_key,
        tags.tag_key as followed_key,
        tags.subject_digest is not null as is_follower,
        tags.updated_age_days
    from followers
    inner join reached on followers.subject_key = reached.node_key
    inner join tags
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
cross join latest_run
where not walk.is_follower and walk.updated_age_days < latest_run.stale_days;
