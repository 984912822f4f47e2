-- error
-- Every live tag is in a live repository.
select tags.*
from main.tags
left join main.repositories
    on tags.namespace = repositories.namespace
    and tags.repository = repositories.repository
    and repositories.deleted_detected_at is null
where repositories.repository is null;
