-- error
-- One row per manifest_digest, position.
select manifest_digest, position, count(*) as row_count
from main.layers
group by manifest_digest, position
having count(*) > 1;
