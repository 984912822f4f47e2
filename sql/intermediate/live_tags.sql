-- One row per live tag, with whether it is stale: not updated for the run's stale_days. A
-- follower is stale when every live tag that reaches its subject is, also when none is
-- left; if nobody ever saw the subject, it goes by its own age.
-- is_orphaned: a follower whose subject no live tag reaches.
create or replace table intermediate.live_tags as
select
    tags.*,
    followers.subject_digest,
    case
        when followers.is_seen or subjects.subject_key is not null
            then not coalesce(subjects.is_fresh, false)
        else tags.is_old
    end as is_stale,
    followers.tag_key is not null and subjects.subject_key is null as is_orphaned
from intermediate.aged_tags as tags
left join intermediate.followers on tags.tag_key = followers.tag_key
left join intermediate.followed_subjects as subjects
    on followers.subject_key = subjects.subject_key;
