-- error
-- One row per index_digest, position.
select index_digest, position, count(*) as row_count
from main.platforms
group by index_digest, position
having count(*) > 1;
