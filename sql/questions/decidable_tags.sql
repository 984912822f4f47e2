-- One row per live tag, in name order: what decides whether a rule or a plan takes it.
-- A date that is none has no known moment, but the registry goes by it all the same.
select
    tags.tag_key,
    tags.namespace,
    tags.repository,
    tags.tag,
    manifests.manifest_digest,
    tags.updated_at,
    tags.created_at,
    tags.known_updated_at,
    tags.known_created_at,
    tags.pulled_at
from intermediate.live_tags as tags
inner join intermediate.manifest_keys as manifests
    on tags.manifest_key = manifests.manifest_key
order by tags.tag_key;
