-- error
-- Every live tag points at a manifest that is there.
select tags.*
from main.tags
left join main.manifests on tags.manifest_digest = manifests.manifest_digest
where manifests.manifest_digest is null;
