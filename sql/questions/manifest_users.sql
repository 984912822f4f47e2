-- One row per live tag that reaches a chosen manifest, the first four by name, with how
-- many there are.
with reaching as (
    select
        tags.namespace,
        tags.repository,
        tags.tag,
        tags.tag_key,
        count(*) over () as tag_count,
        row_number() over (order by tags.tag_key) as place
    from chosen_manifests as chosen
    inner join intermediate.manifest_keys as manifests
        on chosen.manifest_digest = manifests.manifest_digest
    inner join intermediate.reached_manifests as reached
        on manifests.manifest_key = reached.node_key
    inner join intermediate.aged_tags as tags on reached.root_key = tags.manifest_key
)

select namespace, repository, tag, tag_count
from reaching
where place <= 4
order by tag_key;
