-- One row per chosen tag and distinct stored blob that it reaches, tag by tag.
select tags.tag_key, contents.blob_key
from chosen_tags as chosen
inner join intermediate.aged_tags as tags on chosen.tag_key = tags.tag_key
inner join intermediate.manifest_blobs as contents
    on tags.manifest_key = contents.root_key
inner join intermediate.blob_keys as keys on contents.blob_key = keys.blob_key
order by tags.tag_key, keys.blob_digest;
