-- One row per live tag that `named` names, in name order. is_open: its bytes may be more.
with names as (select distinct namespace, repository, tag from named)

select
    tags.tag_key,
    tags.namespace,
    tags.repository,
    tags.tag,
    sizes.size_basis <> 'exact' as is_open
from names
inner join intermediate.aged_tags as tags
    on names.namespace = tags.namespace
    and names.repository = tags.repository
    and names.tag = tags.tag
inner join intermediate.manifest_sizes as sizes on tags.manifest_key = sizes.manifest_key
order by tags.tag_key;
