-- error
-- Every layer belongs to a manifest that is there.
select layers.*
from main.layers
left join main.manifests on layers.manifest_digest = manifests.manifest_digest
where manifests.manifest_digest is null;
