-- One row per manifest a tag points or pointed at: bytes of the distinct stored blobs
-- reachable from it, those that only one live tag reaches, and what is not known.
-- read_run_key: the run from which on all of it was read; null while it is not.
create or replace temp table manifest_sizes as
with
reached as (select * from reached_manifests),
manifests as (select * from manifest_keys),
contents as (select * from manifest_blobs),
blobs as (select * from stored_blobs),
users as (select * from blob_users),

parts as (
    select
        reached.root_key,
        bool_or(not manifests.is_readable) as has_unread,
        bool_or(manifests.manifest_kind = 'schema1') as has_schema1,
        case
            when bool_and(manifests.is_readable) then max(manifests.first_run_key)
        end as read_run_key
    from reached
    inner join manifests on reached.node_key = manifests.manifest_key
    group by reached.root_key
),

used as (
    select
        blobs.blob_key,
        blobs.size_bytes,
        blobs.is_uncertain,
        coalesce(users.tag_count = 1, false) as is_exclusive
    from blobs
    left join users on blobs.blob_key = users.blob_key
),

bytes as (
    select
        contents.root_key,
        cast(sum(used.size_bytes) as bigint) as known_bytes,
        cast(sum(case when used.is_exclusive then used.size_bytes end) as bigint)
            as exclusive_bytes,
        bool_or(used.is_uncertain) as is_uncertain,
        bool_or(used.is_exclusive and used.is_uncertain) as is_exclusive_uncertain
    from contents
    inner join used on contents.blob_key = used.blob_key
    group by contents.root_key
),

judged as (
    select
        parts.root_key as manifest_key,
        parts.has_unread,
        parts.has_schema1,
        parts.read_run_key,
        bytes.known_bytes,
        bytes.exclusive_bytes,
        coalesce(bytes.is_exclusive_uncertain, false)
            or parts.has_unread
            or parts.has_schema1 as is_exclusive_uncertain,
        coalesce(bytes.is_uncertain, false) or parts.has_unread or parts.has_schema1
            as is_uncertain
    from parts
    left join bytes on parts.root_key = bytes.root_key
)

select
    manifest_key,
    has_unread,
    has_schema1,
    read_run_key,
    is_exclusive_uncertain,
    case
        when not is_uncertain then 'exact'
        when known_bytes is null then 'unknown'
        else 'lower_bound'
    end as size_basis,
    case when is_uncertain then known_bytes else coalesce(known_bytes, 0) end
        as logical_bytes,
    case
        when not is_uncertain or known_bytes is not null
            then coalesce(exclusive_bytes, 0)
    end as exclusive_bytes
from judged;
