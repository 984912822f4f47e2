-- Exactly one row: what deleting the chosen tags together would give back, which is the
-- blobs that no other live tag reaches. not_live_count: chosen rows that are no live tag.
with
chosen as (select distinct namespace, repository, tag from chosen_tags),

manifests as (
    select
        tags.manifest_key,
        count(chosen.tag) as chosen_count,
        bool_and(chosen.tag is not null) as is_orphaned
    from intermediate.live_tags as tags
    left join chosen
        on tags.namespace = chosen.namespace
        and tags.repository = chosen.repository
        and tags.tag = chosen.tag
    group by tags.manifest_key
),

tag_totals as (
    select
        cast(coalesce(sum(manifests.chosen_count), 0) as bigint) as tag_count,
        sum(cast(sizes.logical_bytes as decimal(19, 0)) * manifests.chosen_count)
            as chosen_bytes,
        coalesce(bool_or(sizes.is_known), true) as is_any_known,
        coalesce(bool_and(sizes.size_basis = 'exact'), true) as is_exact,
        coalesce(bool_or(sizes.has_open_parts), false) as is_uncertain,
        coalesce(
            sum(case when sizes.has_unread then manifests.chosen_count else 0 end), 0
        ) as unread_count
    from manifests
    inner join intermediate.manifest_sizes as sizes
        on manifests.manifest_key = sizes.manifest_key
    where manifests.chosen_count > 0
),

judged as (
    select
        *,
        try_cast(coalesce(chosen_bytes, 0) as bigint) as logical_bytes,
        is_any_known and try_cast(coalesce(chosen_bytes, 0) as bigint) is not null
            as is_known
    from tag_totals
),

reached as (
    select
        contents.blob_key,
        bool_and(manifests.is_orphaned) as is_orphaned
    from intermediate.manifest_blobs as contents
    inner join manifests on contents.root_key = manifests.manifest_key
    group by contents.blob_key
    having bool_or(manifests.chosen_count > 0)
),

blob_totals as (
    select
        try_cast(coalesce(sum(blobs.size_bytes), 0) as bigint) as deduplicated_bytes,
        try_cast(
            coalesce(sum(case when reached.is_orphaned then blobs.size_bytes end), 0)
            as bigint
        ) as reclaimable_bytes,
        coalesce(bool_or(reached.is_orphaned and blobs.is_uncertain), false)
            as is_uncertain
    from reached
    inner join intermediate.stored_blobs as blobs on reached.blob_key = blobs.blob_key
)

select
    tags.tag_count,
    (select count(*) from chosen) - tags.tag_count as not_live_count,
    case when tags.is_known then tags.logical_bytes end as logical_bytes,
    case when tags.is_known then blobs.deduplicated_bytes end as deduplicated_bytes,
    basis(tags.is_known, not tags.is_exact, false, false) as size_basis,
    case when tags.is_known then blobs.reclaimable_bytes end as reclaimable_bytes,
    case when tags.is_known then blobs.deduplicated_bytes - blobs.reclaimable_bytes end
        as shared_bytes,
    basis(
        tags.is_known,
        tags.is_uncertain or blobs.is_uncertain,
        tags.tag_count > 0 and tags.unread_count < reading.unread_count,
        tags.tag_count > 0 and reading.is_in_doubt
    ) as reclaimable_basis,
    run.as_of
from judged as tags
cross join blob_totals as blobs
cross join intermediate.reading
cross join intermediate.latest_run as run;
