-- error
-- One row per namespace, repository, tag.
select namespace, repository, tag, count(*) as row_count
from main.tags
group by namespace, repository, tag
having count(*) > 1;
