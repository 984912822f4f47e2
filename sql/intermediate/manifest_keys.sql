-- One row per digest that a tag, past or present, an index or a manifest names:
-- a short key, and what is known of it. first_run_key is null if it was never read,
-- and its kind is then unknown.
create or replace temp table manifest_keys as
with
manifests as (select * from main.manifests),
tags as (select * from main.tags),
history as (select * from main.tag_history),
platforms as (select * from main.platforms),
runs as (select * from run_numbers),

digests as (
    select manifest_digest from manifests
    union
    select manifest_digest from tags
    union
    select manifest_digest from history where manifest_digest is not null
    union
    select manifest_digest from platforms
),

moments as (
    select as_of, min(run_key) as run_key from runs group by as_of
)

select
    cast(row_number() over () as integer) as manifest_key,
    digests.manifest_digest,
    coalesce(manifests.manifest_kind, 'unknown') as manifest_kind,
    coalesce(manifests.manifest_kind not in ('invalid', 'unknown'), false)
        as is_readable,
    manifests.layer_count,
    manifests.subject_digest,
    case when manifests.manifest_digest is not null then coalesce(moments.run_key, 1) end
        as first_run_key
from digests
left join manifests on digests.manifest_digest = manifests.manifest_digest
left join moments on manifests.first_seen_at = moments.as_of;
