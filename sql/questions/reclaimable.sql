-- Exactly one row: what deleting the chosen tags together would give back, which is the
-- blobs that no other live tag reaches. not_live_count: chosen rows that are no live tag.
with
chosen as (select distinct namespace, repository, tag from chosen_tags),
tags as (select * from live_tags),
sizes as (select * from manifest_sizes),
contents as (select * from manifest_blobs),
blobs as (select * from stored_blobs),
reading as (select * from reading),

manifests as (
    select
        tags.manifest_key,
        count(chosen.tag) as chosen_count,
        bool_and(chosen.tag is not null) as is_orphaned
    from tags
    left join chosen
        on tags.namespace = chosen.namespace
        and tags.repository = chosen.repository
        and tags.tag = chosen.tag
    group by tags.manifest_key
),

tag_totals as (
    select
        cast(coalesce(sum(manifests.chosen_count), 0) as bigint) as tag_count,
        cast(coalesce(sum(sizes.logical_bytes * manifests.chosen_count), 0) as bigint)
            as logical_bytes,
        coalesce(bool_or(sizes.size_basis <> 'unknown'), true) as is_known,
        coalesce(bool_and(sizes.size_basis = 'exact'), true) as is_exact,
        coalesce(bool_or(sizes.has_unread or sizes.has_schema1), false)
            as has_uncertain_tags,
        coalesce(
            sum(case when sizes.has_unread then manifests.chosen_count else 0 end), 0
        ) as unread_tag_count
    from manifests
    inner join sizes on manifests.manifest_key = sizes.manifest_key
    where manifests.chosen_count > 0
),

reached as (
    select
        contents.blob_key,
        bool_and(manifests.is_orphaned) as is_orphaned
    from contents
    inner join manifests on contents.root_key = manifests.manifest_key
    group by contents.blob_key
    having bool_or(manifests.chosen_count > 0)
),

blob_totals as (
    select
        cast(coalesce(sum(blobs.size_bytes), 0) as bigint) as deduplicated_bytes,
        cast(
            coalesce(sum(case when reached.is_orphaned then blobs.size_bytes end), 0)
            as bigint
        ) as reclaimable_bytes,
        coalesce(bool_or(reached.is_orphaned and blobs.is_uncertain), false)
            as has_uncertain_blobs
    from reached
    inner join blobs on reached.blob_key = blobs.blob_key
),

chosen_rows as (
    select count(*) as row_count from chosen
),

judged as (
    select
        tag_totals.*,
        blob_totals.*,
        chosen_rows.row_count,
        tag_totals.has_uncertain_tags or blob_totals.has_uncertain_blobs
            as is_uncertain,
        not reading.is_crawled
            or reading.unread_tag_count > tag_totals.unread_tag_count
            as is_unread_elsewhere,
        reading.as_of
    from tag_totals
    cross join blob_totals
    cross join chosen_rows
    cross join reading
)

select
    tag_count,
    row_count - tag_count as not_live_count,
    case when is_known then logical_bytes end as logical_bytes,
    case when is_known then deduplicated_bytes end as deduplicated_bytes,
    case
        when is_exact then 'exact'
        when is_known then 'lower_bound'
        else 'unknown'
    end as size_basis,
    case when is_known then reclaimable_bytes end as reclaimable_bytes,
    case when is_known then deduplicated_bytes - reclaimable_bytes end as shared_bytes,
    case
        when tag_count = 0 then 'exact'
        when not is_known then 'unknown'
        when is_uncertain and is_unread_elsewhere then 'unknown'
        when is_uncertain then 'lower_bound'
        when is_unread_elsewhere then 'upper_bound'
        else 'exact'
    end as reclaimable_basis,
    as_of
from judged;
