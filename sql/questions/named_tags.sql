-- One row per distinct name of `named`: the key of the live tag it names, or null.
with names as (select distinct namespace, repository, tag from named)

select names.*, tags.tag_key
from names
left join intermediate.live_tags as tags
    on names.namespace = tags.namespace
    and names.repository = tags.repository
    and names.tag = tags.tag;
