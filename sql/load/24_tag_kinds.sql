-- A better text may be of another kind.
update tags
set manifest_kind = manifests.manifest_kind
from manifests
inner join replaced on manifests.manifest_digest = replaced.manifest_digest
where
    tags.manifest_digest = manifests.manifest_digest
    and tags.manifest_kind <> manifests.manifest_kind;
