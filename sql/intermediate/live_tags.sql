-- One row per live tag, with whether it is stale: not updated for the run's stale_days. A
-- follower is stale when every live tag that reaches its subject is; where none does, it is
-- orphaned and goes by its own age.
create or replace temp table live_tags as
select
    tags.*,
    followers.subject_digest,
    coalesce(not subjects.is_fresh, tags.is_old) as is_stale,
    followers.tag_key is not null and subjects.subject_key is null as is_orphaned
from aged_tags as tags
left join followers on tags.tag_key = followers.tag_key
left join followed_subjects as subjects on followers.subject_key = subjects.subject_key;
