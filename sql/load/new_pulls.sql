-- How many of some answers are not stored yet.
select count(*) as answers
from arriving_pulls
anti join ingest.pulls using (kind, digest, namespace, repository, asked_at);
