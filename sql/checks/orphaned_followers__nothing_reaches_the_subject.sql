-- error
-- No live tag points at what an orphaned follower follows.
select followers.*
from reports.orphaned_followers as followers
inner join main.tags on followers.subject_digest = tags.manifest_digest;
