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

unsized_layers as (
    select prefixes.prefix_key
    from ingest.layer_prefixes as prefixes
    left join ingest.pulls
        on prefixes.blob_digest = pulls.digest
        and pulls.kind = 'blob'
        and pulls.outcome = 'read'
    where prefixes.size_bytes is null and pulls.digest is null
),

listed as (
    select manifest_digest, unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
    where
        manifest_digest in (
            select manifest_digest from main.manifests where manifest_kind = 'schema1'
        )
),

unsized as (
    select distinct manifest_digest
    from listed
    where prefix_key in (select prefix_key from unsized_layers)
),

moments as (
    select as_of, min(run_key) as run_key from intermediate.run_numbers group by as_of
)

select
    row_number() over () as manifest_key,
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
