-- One row per subject that a live tag reaches, and whether what follows it is fresh: some
-- tag that reaches it is. Such a tag may be a follower itself, and is then as fresh as
-- its own subject. Null if none goes by its own age.
create or replace table intermediate.followed_subjects as
with recursive
subjects as (
    select distinct subject_key from intermediate.followers where subject_key is not null
),

reaching as (
    select subjects.subject_key, tags.tag_key, tags.is_old
    from subjects
    inner join intermediate.reached_manifests as reached
        on subjects.subject_key = reached.node_key
    inner join intermediate.aged_tags as tags on reached.root_key = tags.manifest_key
),

following as (
    select tag_key, subject_key
    from intermediate.followers
    where is_seen or subject_key in (select subject_key from reaching)
),

-- A follower is as fresh as its subject, all other tags go by their own age.
judged as (
    select
        reaching.subject_key,
        following.subject_key as next_key,
        case when following.tag_key is null then not reaching.is_old end as is_fresh
    from reaching
    left join following on reaching.tag_key = following.tag_key
),

walk as (
    select subject_key, subject_key as next_key from judged
    union
    select walk.subject_key, judged.next_key
    from walk
    inner join judged on walk.next_key = judged.subject_key
    where judged.next_key is not null
)

select walk.subject_key, bool_or(judged.is_fresh) as is_fresh
from walk
inner join judged on walk.next_key = judged.subject_key
group by walk.subject_key;
