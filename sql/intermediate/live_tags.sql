-- One row per live tag, with whether it is stale: not updated for the run's stale_days,
-- or following subjects that all are, or are gone.
create or replace temp table live_tags as
with
tags as (select * from aged_tags),
fresh_followers as (select * from fresh_followers),
latest_run as (select * from latest_run)
select
    tags.*,
    case
        when tags.subject_digest is not null then fresh_followers.tag_key is null
        else coalesce(tags.updated_age_days >= latest_run.stale_days, false)
    end as is_stale
from tags
left join fresh_followers on tags.tag_key = fresh_followers.tag_key
cross join latest_run;
