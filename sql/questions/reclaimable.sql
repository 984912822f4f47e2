-- One row per set of `sets`: what deleting its tags, of `chosen`, together would give back,
-- which is the blobs that no other live tag reaches.
with
manifests as (
    select chosen.set_key, tags.manifest_key, count(*) as chosen_count
    from chosen
    inner join intermediate.live_tags as tags on chosen.tag_key = tags.tag_key
    group by chosen.set_key, tags.manifest_key
),

tag_totals as (
    select
        manifests.set_key,
        cast(sum(manifests.chosen_count) as bigint) as tag_count,
        sum(cast(sizes.logical_bytes as decimal(19, 0)) * manifests.chosen_count)
            as chosen_bytes,
        bool_or(sizes.is_known) as is_any_known,
        bool_and(sizes.size_basis = 'exact') as is_exact,
        bool_or(sizes.has_open_parts) as is_uncertain,
        sum(case when sizes.has_unread then manifests.chosen_count else 0 end)
            as unread_count
    from manifests
    inner join intermediate.manifest_sizes as sizes
        on manifests.manifest_key = sizes.manifest_key
    group by manifests.set_key
),

reached as (
    select
        manifests.set_key,
        contents.blob_key,
        sum(manifests.chosen_count) as chosen_count
    from manifests
    inner join intermediate.manifest_blobs as contents
        on manifests.manifest_key = contents.root_key
    group by manifests.set_key, contents.blob_key
),

blob_totals as (
    select
        reached.set_key,
        try_cast(coalesce(sum(users.size_bytes), 0) as bigint) as deduplicated_bytes,
        try_cast(
            coalesce(
                sum(
                    case
                        when reached.chosen_count = users.tag_count
                            then users.size_bytes
                    end
                ),
                0
            ) as bigint
        ) as reclaimable_bytes,
        bool_or(reached.chosen_count = users.tag_count and users.is_uncertain)
            as is_uncertain
    from reached
    inner join intermediate.blob_users as users on reached.blob_key = users.blob_key
    group by reached.set_key
),

judged as (
    select
        sets.set_key,
        coalesce(tags.tag_count, 0) as tag_count,
        try_cast(coalesce(tags.chosen_bytes, 0) as bigint) as logical_bytes,
        case when blobs.set_key is null then 0 else blobs.deduplicated_bytes end
            as deduplicated_bytes,
        case when blobs.set_key is null then 0 else blobs.reclaimable_bytes end
            as reclaimable_bytes,
        coalesce(tags.is_any_known, true)
        and try_cast(coalesce(tags.chosen_bytes, 0) as bigint) is not null as is_known,
        coalesce(tags.is_exact, true) as is_exact,
        coalesce(tags.is_uncertain, false) or coalesce(blobs.is_uncertain, false)
            as is_uncertain,
        coalesce(tags.unread_count, 0) as unread_count
    from sets
    left join tag_totals as tags on sets.set_key = tags.set_key
    left join blob_totals as blobs on sets.set_key = blobs.set_key
)

select
    tags.set_key,
    tags.tag_count,
    case when tags.is_known then tags.logical_bytes end as logical_bytes,
    case when tags.is_known then tags.deduplicated_bytes end as deduplicated_bytes,
    basis(tags.is_known, not tags.is_exact, false, false) as size_basis,
    case when tags.is_known then tags.reclaimable_bytes end as reclaimable_bytes,
    case when tags.is_known then tags.deduplicated_bytes - tags.reclaimable_bytes end
        as shared_bytes,
    basis(
        tags.is_known,
        tags.is_uncertain,
        tags.tag_count > 0 and tags.unread_count < reading.unread_count,
        tags.tag_count > 0 and reading.is_in_doubt
    ) as reclaimable_basis,
    -- Where a price was set.
    case
        when tags.is_known
            then
                cast(
                    cast(
                        cost_in_cents(
                            tags.reclaimable_bytes,
                            cast(prices.price_per_gb_month * 1000000 as hugeint)
                        ) as decimal(18, 0)
                    ) * 0.01 as decimal(18, 2)
                )
    end as reclaimable_monthly_cost,
    prices.currency,
    run.as_of
from judged as tags
cross join intermediate.reading
cross join intermediate.latest_run as run
left join ingest.runs as prices on run.run_id = prices.run_id
order by tags.set_key;
