-- One row per live tag that is not of set 0 and thing it would lose with the set: a child
-- of its index the last tag in this repository (lost_child), another tag of this
-- repository on its own digest (shared_digest), and what it follows every tag that reaches
-- it (left_behind); and one per tag of the set and cluster that it was seen in (in_use).
with
tags as (
    select live.*, chosen.tag_key is not null as is_deleted
    from intermediate.live_tags as live
    left join (select distinct tag_key from chosen where set_key = 0) as chosen
        on live.tag_key = chosen.tag_key
),

tagged as (
    select
        repository_key,
        manifest_key,
        bool_and(is_deleted) as is_lost,
        bool_or(is_deleted) as is_touched,
        sum(case when is_deleted then 1 else 0 end) as deleted_count,
        min(case when is_deleted then tag_key end) as deleted_key
    from tags
    group by repository_key, manifest_key
),

subjects as (
    select
        reached.node_key as subject_key,
        bool_and(tags.is_deleted) as is_lost,
        count(*) as deleted_count,
        min(tags.tag_key) as deleted_key
    from intermediate.reached_manifests as reached
    inner join tags on reached.root_key = tags.manifest_key
    where reached.node_key in (select subject_key from intermediate.followers)
    group by reached.node_key
),

broken as (
    select
        'lost_child' as kind,
        tags.tag_key,
        children.manifest_key as lost_key,
        children.deleted_count,
        children.deleted_key
    from tags
    inner join intermediate.reached_manifests as reached
        on tags.manifest_key = reached.root_key and reached.root_key <> reached.node_key
    inner join tagged as children
        on tags.repository_key = children.repository_key
        and reached.node_key = children.manifest_key
    where not tags.is_deleted and children.is_lost
    union all
    select
        'shared_digest' as kind,
        tags.tag_key,
        tagged.manifest_key as lost_key,
        tagged.deleted_count,
        tagged.deleted_key
    from tags
    inner join tagged
        on tags.repository_key = tagged.repository_key
        and tags.manifest_key = tagged.manifest_key
    where not tags.is_deleted and tagged.is_touched
    union all
    select
        'left_behind' as kind,
        tags.tag_key,
        subjects.subject_key as lost_key,
        subjects.deleted_count,
        subjects.deleted_key
    from tags
    inner join intermediate.followers as followers on tags.tag_key = followers.tag_key
    inner join subjects on followers.subject_key = subjects.subject_key
    where not tags.is_deleted and subjects.is_lost
    union all
    select
        'in_use' as kind,
        tags.tag_key,
        tags.manifest_key as lost_key,
        1 as deleted_count,
        tags.tag_key as deleted_key
    from tags
    where tags.is_deleted and tags.tag_key in (select tag_key from intermediate.tag_uses)
)

select
    broken.kind,
    kept.namespace,
    kept.repository,
    kept.tag,
    lost.manifest_digest as lost_digest,
    deleted.namespace as deleted_namespace,
    deleted.repository as deleted_repository,
    deleted.tag as deleted_tag,
    cast(broken.deleted_count as bigint) as deleted_count,
    uses.cluster,
    uses.last_seen_at
from broken
inner join tags as kept on broken.tag_key = kept.tag_key
inner join tags as deleted on broken.deleted_key = deleted.tag_key
inner join intermediate.manifest_keys as lost on broken.lost_key = lost.manifest_key
left join intermediate.tag_uses as uses
    on broken.tag_key = uses.tag_key and broken.kind = 'in_use'
order by broken.tag_key, broken.kind, lost.manifest_digest, uses.cluster;
