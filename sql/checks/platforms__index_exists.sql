-- error
-- Every child belongs to an index that is there.
select platforms.*
from main.platforms
left join main.manifests on platforms.index_digest = manifests.manifest_digest
where manifests.manifest_digest is null;
