-- One row per live tag, with whether it is stale: not updated for the run's stale_days.
-- One that follows subjects is stale when all of them are, or none is left.
create or replace temp table live_tags as
select
    tags.*,
    case
        when tags.subject_digest is not null then fresh.tag_key is null
        else coalesce(tags.updated_age_days >= run.stale_days, false)
    end as is_stale
from aged_tags as tags
left join fresh_followers as fresh on tags.tag_key = fresh.tag_key
cross join latest_run as run;
