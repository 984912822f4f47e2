-- error
-- One row per namespace, repository.
select namespace, repository, count(*) as row_count
from main.repositories
group by namespace, repository
having count(*) > 1;
