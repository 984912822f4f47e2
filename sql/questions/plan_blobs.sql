-- One row per group of blobs that the same decisions, all of them of `ready`, use and
-- nobody else, and decision that uses it; bytes are those of the whole group. Users are
-- told apart by two sums over them: chance does not make both equal.
with
decisions as (
    select
        tags.repository_key,
        tags.manifest_key,
        min(tags.tag_key) as decision_key
    from intermediate.live_tags as tags
    group by tags.repository_key, tags.manifest_key
),

users as (
    select
        contents.blob_key,
        decisions.decision_key,
        ready.decision_key is not null as is_ready
    from decisions
    inner join intermediate.manifest_blobs as contents
        on decisions.manifest_key = contents.root_key
    left join ready on decisions.decision_key = ready.decision_key
),

fallible as (
    select
        users.blob_key,
        count(*) as user_count,
        min(users.decision_key) as first_key,
        sum(hash(users.decision_key) >> 2) as one_sum,
        sum(hash(users.decision_key + 0.5) >> 2) as other_sum
    from users
    group by users.blob_key
    having bool_and(users.is_ready)
),

groups as (
    select
        min(fallible.blob_key) as blob_key,
        cast(sum(blobs.size_bytes) as bigint) as size_bytes
    from fallible
    inner join intermediate.stored_blobs as blobs on fallible.blob_key = blobs.blob_key
    where blobs.size_bytes > 0
    group by
        fallible.user_count,
        fallible.first_key,
        fallible.one_sum,
        fallible.other_sum
)

select groups.blob_key, users.decision_key, groups.size_bytes
from groups
inner join users on groups.blob_key = users.blob_key
order by groups.blob_key, users.decision_key;
