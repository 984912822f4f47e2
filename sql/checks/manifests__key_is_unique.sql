-- error
-- One row per manifest_digest.
select manifest_digest, count(*) as row_count
from main.manifests
group by manifest_digest
having count(*) > 1;
