-- The tags not updated for longest.
select
    namespace,
    repository,
    tag,
    created_at,
    updated_at,
    updated_age_days
from reports.tag_ages
order by updated_age_days desc, namespace, repository, tag
limit 10;
