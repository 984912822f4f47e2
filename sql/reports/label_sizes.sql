-- One row per label that SWR_REPORT_LABELS names and value that a live tag has of it,
-- by any of its images; label_value is null for the tags that have none, as far as their
-- configurations were read.
create or replace table reports.label_sizes as
with
labels as (
    select labels.config_digest, labels.label_key, labels.label_value
    from main.image_labels as labels
    cross join intermediate.latest_run as latest
    inner join ingest.runs on latest.run_id = runs.run_id
    where strpos(
        chr(10) || runs.report_labels || chr(10), chr(10) || labels.label_key || chr(10)
    ) > 0
),

labelled as (
    select distinct
        labels.label_key,
        labels.label_value,
        reached.root_key as manifest_key
    from labels
    inner join main.image_configs as configs
        on labels.config_digest = configs.config_digest
    inner join intermediate.manifest_keys as images
        on configs.manifest_digest = images.manifest_digest
    inner join intermediate.reached_manifests as reached
        on images.manifest_key = reached.node_key
    inner join intermediate.tagged_manifests as tagged
        on reached.root_key = tagged.manifest_key
),

label_keys as (
    select distinct label_key from labelled
),

members as (
    select
        labelled.label_key,
        labelled.label_value,
        tagged.manifest_key,
        tagged.repository_key,
        tagged.tag_count
    from labelled
    inner join intermediate.tagged_manifests as tagged
        on labelled.manifest_key = tagged.manifest_key
    union all
    select
        label_keys.label_key,
        null as label_value,
        tagged.manifest_key,
        tagged.repository_key,
        tagged.tag_count
    from label_keys
    cross join intermediate.tagged_manifests as tagged
    left join labelled
        on label_keys.label_key = labelled.label_key
        and tagged.manifest_key = labelled.manifest_key
    where labelled.manifest_key is null
),

tag_totals as (
    select
        members.label_key,
        members.label_value,
        cast(sum(members.tag_count) as bigint) as tag_count,
        bool_or(sizes.is_known) as is_known,
        bool_and(sizes.size_basis = 'exact') as is_exact,
        bool_or(sizes.has_open_parts) as has_open_parts,
        sum(case when sizes.has_unread then members.tag_count else 0 end)
            as unread_count
    from members
    inner join intermediate.manifest_sizes as sizes
        on members.manifest_key = sizes.manifest_key
    group by members.label_key, members.label_value
),

used_blobs as (
    select
        members.label_key,
        members.label_value,
        contents.blob_key,
        members.repository_key,
        sum(members.tag_count) as tag_count
    from members
    inner join intermediate.manifest_blobs as contents
        on members.manifest_key = contents.root_key
    group by
        members.label_key, members.label_value, contents.blob_key, members.repository_key
),

blobs as (
    select
        used.label_key,
        used.label_value,
        users.size_bytes,
        users.is_uncertain,
        sum(used.tag_count) = users.tag_count as is_exclusive
    from used_blobs as used
    inner join intermediate.blob_users as users on used.blob_key = users.blob_key
    group by
        used.label_key,
        used.label_value,
        used.blob_key,
        users.size_bytes,
        users.is_uncertain,
        users.tag_count
),

blob_totals as (
    select
        label_key,
        label_value,
        try_cast(coalesce(sum(size_bytes), 0) as bigint) as deduplicated_bytes,
        try_cast(coalesce(sum(case when is_exclusive then size_bytes end), 0) as bigint)
            as exclusive_bytes,
        bool_or(is_exclusive and is_uncertain) as is_exclusive_uncertain
    from blobs
    group by label_key, label_value
),

ranked as (
    select
        used.blob_key,
        used.repository_key,
        users.size_bytes,
        users.namespace_count,
        count(*) over (partition by used.blob_key, used.namespace_key)
            as repository_count,
        dense_rank() over (partition by used.blob_key order by used.namespace_key)
            as namespace_rank,
        row_number() over (
            partition by used.blob_key, used.namespace_key
            order by used.repository_key
        ) as repository_rank
    from intermediate.repository_blobs as used
    inner join intermediate.blob_users as users on used.blob_key = users.blob_key
    where used.blob_key in (select blob_key from used_blobs)
),

shares as (
    select
        blob_key,
        repository_key,
        equal_share(
            equal_share(size_bytes, namespace_count, namespace_rank),
            repository_count,
            repository_rank
        ) as share_bytes
    from ranked
),

-- A repository's share of a blob is divided among the values by their tags: each gets
-- what its tags and those before it have, less what those before it have.
placed as (
    select
        used.label_key,
        used.label_value,
        shares.share_bytes,
        sum(used.tag_count) over in_order as count_until,
        used.tag_count,
        sum(used.tag_count) over (
            partition by used.label_key, used.blob_key, used.repository_key
        ) as count_of_all
    from used_blobs as used
    inner join shares
        on used.blob_key = shares.blob_key
        and used.repository_key = shares.repository_key
    window in_order as (
        partition by used.label_key, used.blob_key, used.repository_key
        order by used.label_value nulls last
        rows between unbounded preceding and current row
    )
),

allocated as (
    select
        label_key,
        label_value,
        try_cast(
            sum(
                cast(share_bytes as hugeint) * count_until // count_of_all
                - cast(share_bytes as hugeint) * (count_until - tag_count)
                // count_of_all
            ) as bigint
        ) as allocated_bytes
    from placed
    group by label_key, label_value
),

judged as (
    select
        tags.*,
        coalesce(blobs.deduplicated_bytes, 0) as deduplicated_bytes,
        coalesce(blobs.exclusive_bytes, 0) as exclusive_bytes,
        coalesce(allocated.allocated_bytes, 0) as allocated_bytes,
        coalesce(blobs.is_exclusive_uncertain, false) as is_exclusive_uncertain,
        tags.unread_count < reading.unread_count as is_unread_elsewhere,
        reading.is_in_doubt
    from tag_totals as tags
    left join blob_totals as blobs
        on tags.label_key = blobs.label_key
        and tags.label_value is not distinct from blobs.label_value
    left join allocated
        on tags.label_key = allocated.label_key
        and tags.label_value is not distinct from allocated.label_value
    cross join intermediate.reading
)

select
    run.registry,
    judged.label_key,
    judged.label_value,
    judged.tag_count,
    case when judged.is_known then judged.deduplicated_bytes end as deduplicated_bytes,
    basis(judged.is_known, not judged.is_exact, false, false) as size_basis,
    case when judged.is_known then judged.exclusive_bytes end as exclusive_bytes,
    basis(
        judged.is_known,
        judged.has_open_parts or judged.is_exclusive_uncertain,
        judged.is_unread_elsewhere,
        judged.is_in_doubt
    ) as exclusive_basis,
    case when judged.is_known then judged.allocated_bytes end as allocated_bytes,
    basis(
        judged.is_known,
        not judged.is_exact,
        judged.is_unread_elsewhere,
        judged.is_in_doubt
    ) as allocated_basis,
    run.as_of
from judged
cross join intermediate.latest_run as run
order by judged.label_key, judged.label_value nulls last;

comment on table reports.label_sizes is 'One row per label named by SWR_REPORT_LABELS and value that live tags have of it: their bytes. Needs SWR_READ_CONFIGS.';
comment on column reports.label_sizes.registry is 'Short name of the registry.';
comment on column reports.label_sizes.label_key is 'Name of the label.';
comment on column reports.label_sizes.label_value is 'Its value; null for the tags that have none, as far as their configurations were read.';
comment on column reports.label_sizes.tag_count is 'Live tags of which an image has it; one whose images have several values counts for each.';
comment on column reports.label_sizes.deduplicated_bytes is 'Bytes of the distinct blobs these tags reach; null when nothing is known.';
comment on column reports.label_sizes.size_basis is 'exact, lower_bound or unknown, for deduplicated_bytes.';
comment on column reports.label_sizes.exclusive_bytes is 'The part of deduplicated_bytes that no other live tag reaches.';
comment on column reports.label_sizes.exclusive_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for exclusive_bytes.';
comment on column reports.label_sizes.allocated_bytes is 'Its share of the blobs: each repository''s share of a blob divided by tags. The values of a label add up to the registry''s deduplicated bytes.';
comment on column reports.label_sizes.allocated_basis is 'exact, lower_bound, upper_bound, estimate or unknown, for allocated_bytes.';
comment on column reports.label_sizes.as_of is 'The moment this row describes: as_of of the latest run.';
