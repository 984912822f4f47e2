-- One row per chosen blob and live tag that reaches it, of each the first four by name.
with reaching as (
    select
        chosen.blob_digest,
        tags.tag_key,
        row_number() over (partition by chosen.blob_digest order by tags.tag_key)
            as place
    from chosen_blobs as chosen
    inner join intermediate.blob_keys as keys on chosen.blob_digest = keys.blob_digest
    inner join intermediate.manifest_blobs as contents
        on keys.blob_key = contents.blob_key
    inner join intermediate.aged_tags as tags on contents.root_key = tags.manifest_key
)

select reaching.blob_digest, tags.namespace, tags.repository, tags.tag
from reaching
inner join intermediate.aged_tags as tags on reaching.tag_key = tags.tag_key
where reaching.place <= 4
order by reaching.blob_digest, reaching.tag_key;
