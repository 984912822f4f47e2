-- One row per image or artifact with foreign layers that the registry holds all the same:
-- the size it states of a live tag counts them. A layer listed twice may count twice in
-- it.
create or replace table intermediate.held_images as
with
listed as (
    select manifest_digest, unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
),

foreign_images as (
    select distinct manifest_digest
    from listed
    where
        prefix_key in (
            select prefix_key from ingest.layer_prefixes where not is_stored
        )
),

foreign_lists as (
    select manifest_digest, unnest(prefix_keys) as prefix_key
    from ingest.manifest_prefixes
    where manifest_digest in (select manifest_digest from foreign_images)
),

blobs as (
    select
        listed.manifest_digest,
        prefixes.blob_digest,
        min(stated_size(prefixes.blob_digest, prefixes.size_bytes)) as distinct_bytes,
        sum(stated_size(prefixes.blob_digest, prefixes.size_bytes)) as listed_bytes,
        bool_and(stated_size(prefixes.blob_digest, prefixes.size_bytes) is not null)
            as is_stated,
        bool_or(not prefixes.is_stored) as is_foreign
    from foreign_lists as listed
    inner join ingest.layer_prefixes as prefixes
        on listed.prefix_key = prefixes.prefix_key
    group by listed.manifest_digest, prefixes.blob_digest
),

sizes as (
    select
        manifest_digest,
        sum(distinct_bytes) as distinct_bytes,
        sum(listed_bytes) as listed_bytes
    from blobs
    group by manifest_digest
    having
        bool_and(is_stated)
        and sum(case when is_foreign then distinct_bytes else 0 end) > 0
),

said as (
    select
        tags.manifest_digest,
        tags.api_size_bytes
        - case
            when manifests.config_digest is null then 0
            else stated_size(manifests.config_digest, manifests.config_bytes)
        end as layer_bytes
    from main.tags
    inner join main.manifests on tags.manifest_digest = manifests.manifest_digest
    where manifests.manifest_kind in ('image', 'artifact')
)

select distinct keys.manifest_key
from said
inner join sizes on said.manifest_digest = sizes.manifest_digest
inner join intermediate.manifest_keys as keys
    on said.manifest_digest = keys.manifest_digest
where said.layer_bytes in (sizes.distinct_bytes, sizes.listed_bytes);
