-- One row per decision (the tags of a repository on one manifest, known by the first of
-- them) and another that has to go with it: of a child of an index each index of the
-- repository that reaches it, of what follows a subject everything that reaches that.
with
decisions as (
    select repository_key, manifest_key, min(tag_key) as decision_key
    from intermediate.live_tags
    group by repository_key, manifest_key
),

pairs as (
    select
        children.decision_key as needing_key,
        parents.decision_key as needed_key
    from decisions as parents
    inner join intermediate.reached_manifests as reached
        on parents.manifest_key = reached.root_key
    inner join decisions as children
        on parents.repository_key = children.repository_key
        and reached.node_key = children.manifest_key
    union
    select
        following.decision_key as needing_key,
        followed.decision_key as needed_key
    from intermediate.followers as followers
    inner join intermediate.live_tags as tags on followers.tag_key = tags.tag_key
    inner join decisions as following
        on tags.repository_key = following.repository_key
        and tags.manifest_key = following.manifest_key
    inner join intermediate.reached_manifests as reached
        on followers.subject_key = reached.node_key
    inner join decisions as followed on reached.root_key = followed.manifest_key
)

select needing_key, needed_key
from pairs
where needing_key <> needed_key
order by needing_key, needed_key;
