-- One row per manifest a tag points or pointed at: bytes of the distinct stored blobs
-- reachable from it, those that only one live tag reaches, and what is not known.
-- has_open_parts: parts that were not read or state no sizes may add to its bytes. Bytes
-- beyond 2^63 - 1 are not known.
-- read_run_key: the run from which on all of it was read; any_run_key, sized_run_key: any
-- blob of it, any with a size. Null while that is not so.
create or replace table intermediate.manifest_sizes as
with
parts as (
    select
        reached.root_key,
        bool_or(not manifests.is_readable) as has_unread,
        bool_or(manifests.is_unsized) as has_unsized,
        bool_or(not manifests.is_readable or manifests.is_unsized)
            as has_open_parts,
        case
            when bool_and(manifests.is_readable) then max(manifests.first_run_key)
        end as read_run_key
    from intermediate.reached_manifests as reached
    inner join intermediate.manifest_keys as manifests
        on reached.node_key = manifests.manifest_key
    group by reached.root_key
),

used as (
    select
        blobs.blob_key,
        blobs.size_bytes,
        blobs.is_uncertain,
        blobs.sized_run_key,
        coalesce(users.tag_count = 1, false) as is_exclusive
    from intermediate.stored_blobs as blobs
    left join intermediate.blob_users as users on blobs.blob_key = users.blob_key
),

bytes as (
    select
        contents.root_key,
        try_cast(sum(used.size_bytes) as bigint) as known_bytes,
        try_cast(sum(case when used.is_exclusive then used.size_bytes end) as bigint)
            as exclusive_bytes,
        bool_or(used.size_bytes is not null) as has_known,
        min(contents.since_run_key) as any_run_key,
        min(
            case
                when used.sized_run_key > contents.since_run_key then used.sized_run_key
                when used.sized_run_key is not null then contents.since_run_key
            end
        ) as sized_run_key,
        bool_or(used.is_uncertain) as has_uncertain,
        bool_or(used.is_exclusive and used.is_uncertain) as has_exclusive_uncertain
    from intermediate.manifest_blobs as contents
    inner join used on contents.blob_key = used.blob_key
    group by contents.root_key
),

judged as (
    select
        parts.*,
        bytes.any_run_key,
        bytes.sized_run_key,
        bytes.known_bytes,
        bytes.exclusive_bytes,
        parts.has_open_parts or coalesce(bytes.has_uncertain, false) as is_uncertain,
        parts.has_open_parts or coalesce(bytes.has_exclusive_uncertain, false)
            as is_exclusive_uncertain,
        bytes.known_bytes is not null
        or not (is_uncertain or coalesce(bytes.has_known, false)) as is_known
    from parts
    left join bytes on parts.root_key = bytes.root_key
)

select
    root_key as manifest_key,
    has_unread,
    has_unsized,
    has_open_parts,
    read_run_key,
    any_run_key,
    sized_run_key,
    is_known,
    is_exclusive_uncertain,
    basis(is_known, is_uncertain, false, false) as size_basis,
    case when is_known then coalesce(known_bytes, 0) end as logical_bytes,
    case when is_known then coalesce(exclusive_bytes, 0) end as exclusive_bytes
from judged;
