-- One row per digest that a tag, present or of a new run, an index or a manifest names: a
-- short key, and what is known of it. One that was never read has no first_run_key, and
-- its kind is unknown. is_unsized: schema 1, which states no sizes, as long as the
-- registry has not told those of all its layers.
create or replace table intermediate.manifest_keys as
with
digests as (
    select manifest_digest from main.manifests
    union
    select manifest_digest from main.tags
    union
    select history.manifest_digest
    from main.tag_history as history
    cross join intermediate.new_history as new
    where
        history.manifest_digest is not null
        and (
            history.valid_to is null or history.valid_to >= new.first_crawled_at
        )
    union
    select manifest_digest from main.platforms where not coalesce(is_blob, false)
),

unsized as (
    select distinct layers.manifest_digest
    from main.layers
    inner join main.manifests on layers.manifest_digest = manifests.manifest_digest
    left join ingest.pulls
        on layers.blob_digest = pulls.digest
        and pulls.kind = 'blob'
        and pulls.outcome = 'read'
    where
        layers.size_bytes is null
        and manifests.manifest_kind = 'schema1'
        and pulls.digest is null
),

moments as (
    select as_of, min(run_key) as run_key from intermediate.run_numbers group by as_of
)

select
    cast(row_number() over () as integer) as manifest_key,
    digests.manifest_digest,
    coalesce(manifests.manifest_kind, 'unknown') as manifest_kind,
    coalesce(manifests.manifest_kind not in ('invalid', 'unknown'), false)
        as is_readable,
    unsized.manifest_digest is not null as is_unsized,
    manifests.layer_count,
    manifests.subject_digest,
    manifests.first_seen_at,
    case when manifests.manifest_digest is not null then coalesce(moments.run_key, 1) end
        as first_run_key
from digests
left join main.manifests on digests.manifest_digest = manifests.manifest_digest
left join unsized on digests.manifest_digest = unsized.manifest_digest
left join moments on manifests.first_seen_at = moments.as_of;
