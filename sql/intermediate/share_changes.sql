-- One row per repository and new run that changed its share of a blob: what came new to
-- the registry, what the registry lost, and what of blobs that stayed passed between
-- repositories, as others began or ceased to use them. difference_bytes is how its
-- allocated bytes changed; what the rest does not explain is what the run taught us.
create or replace table intermediate.share_changes as
with
found as (
    select distinct uses.place, uses.blob_key, uses.since_run_key as run_key
    from intermediate.touched_uses as uses
    cross join intermediate.new_history as new
    where
        uses.since_run_key >= new.first_run_key
        and uses.since_run_key > uses.from_run_key
        and (uses.to_run_key is null or uses.since_run_key <= uses.to_run_key)
),

changed as (
    select blob_key, run_key from intermediate.blob_changes
    union
    select uses.blob_key, uses.from_run_key as run_key
    from intermediate.blob_uses as uses
    cross join intermediate.new_history as new
    where uses.from_run_key >= new.first_run_key
    union
    select uses.blob_key, uses.to_run_key as run_key
    from intermediate.blob_uses as uses
    cross join intermediate.new_history as new
    where uses.to_run_key >= new.first_run_key
    union
    select blob_key, run_key from found
),

sized as (
    select
        changed.blob_key,
        changed.run_key,
        blobs.size_bytes,
        blobs.size_bytes as size_before_bytes
    from changed
    inner join intermediate.stored_blobs as blobs on changed.blob_key = blobs.blob_key
    where blobs.is_steady
    union all
    select
        changed.blob_key,
        changed.run_key,
        min(statements.size_bytes) as size_bytes,
        min(
            case
                when statements.first_run_key < changed.run_key then statements.size_bytes
            end
        ) as size_before_bytes
    from changed
    inner join intermediate.stored_blobs as blobs on changed.blob_key = blobs.blob_key
    inner join intermediate.blob_statements as statements
        on changed.blob_key = statements.blob_key
        and changed.run_key >= statements.first_run_key
    where not blobs.is_steady
    group by changed.blob_key, changed.run_key
),

candidates as (
    select
        changed.blob_key,
        changed.run_key,
        uses.place,
        uses.from_run_key < changed.run_key as was_known,
        uses.from_run_key < changed.run_key as was_used,
        uses.to_run_key is null or uses.to_run_key > changed.run_key as is_used
    from changed
    inner join intermediate.blob_uses as uses
        on changed.blob_key = uses.blob_key
        and changed.run_key >= uses.from_run_key
        and (uses.to_run_key is null or changed.run_key <= uses.to_run_key)
    union all
    select
        blob_key,
        run_key,
        place,
        false as was_known,
        true as was_used,
        false as is_used
    from found
),

-- Of each repository whether it used the blob before the run, as was known then and as is
-- known since, and after it.
users as (
    select
        blob_key,
        run_key,
        place,
        bool_or(was_known) as was_known,
        bool_or(was_used) as was_used,
        bool_or(is_used) as is_used
    from candidates
    group by blob_key, run_key, place
),

crowds as (
    select
        blob_key,
        run_key,
        count(*) as user_count,
        bool_or(was_used) as was_live,
        bool_or(is_used) as is_live,
        bool_or(was_known <> was_used) as is_found
    from users
    group by blob_key, run_key
),

-- is_learned: what was known of the blob before the run is known otherwise since.
used as (
    select
        users.*,
        crowds.user_count,
        crowds.was_live,
        crowds.is_live,
        crowds.is_found
        or coalesce(sized.size_bytes, -1) <> coalesce(sized.size_before_bytes, -1)
            as is_learned,
        coalesce(sized.size_bytes, 0) as size_bytes,
        coalesce(sized.size_before_bytes, 0) as size_before_bytes
    from users
    inner join crowds
        on users.blob_key = crowds.blob_key and users.run_key = crowds.run_key
    inner join sized
        on users.blob_key = sized.blob_key and users.run_key = sized.run_key
),

moments as (
    select 'then' as moment
    union all
    select 'before' as moment
    union all
    select 'after' as moment
),

parts as (
    select
        used.blob_key,
        used.run_key,
        used.place,
        used.user_count,
        used.was_live,
        used.is_live,
        used.is_learned,
        moments.moment,
        case
            when moments.moment = 'then' then used.size_before_bytes
            else used.size_bytes
        end as size_bytes
    from used
    cross join moments
    where
        case moments.moment
            when 'then' then used.was_known and used.is_learned
            when 'before' then used.was_used
            else used.is_used
        end
),

-- Blobs with several users are divided among namespaces, then among their repositories.
placed as (
    select
        parts.*,
        repos.namespace_place,
        row_number() over (
            partition by
                parts.blob_key, parts.run_key, parts.moment, repos.namespace_place
            order by parts.place
        ) as repository_rank
    from parts
    inner join intermediate.history_repositories as repos on parts.place = repos.place
    where parts.user_count > 1
),

namespaces as (
    select
        blob_key,
        run_key,
        moment,
        namespace_place,
        size_bytes,
        count(*) as repository_count,
        row_number() over (
            partition by blob_key, run_key, moment order by namespace_place
        ) as namespace_rank,
        count(*) over (partition by blob_key, run_key, moment) as namespace_count
    from placed
    group by blob_key, run_key, moment, namespace_place, size_bytes
),

shares as (
    select
        placed.run_key,
        placed.place,
        placed.was_live,
        placed.is_live,
        placed.is_learned,
        placed.moment,
        equal_share(
            equal_share(
                namespaces.size_bytes,
                namespaces.namespace_count,
                namespaces.namespace_rank
            ),
            namespaces.repository_count,
            placed.repository_rank
        ) as share_bytes
    from placed
    inner join namespaces
        on placed.blob_key = namespaces.blob_key
        and placed.run_key = namespaces.run_key
        and placed.moment = namespaces.moment
        and placed.namespace_place = namespaces.namespace_place
    union all
    select
        run_key,
        place,
        was_live,
        is_live,
        is_learned,
        moment,
        size_bytes as share_bytes
    from parts
    where user_count = 1
)

select
    run_key,
    place,
    sum(case when moment = 'after' and not was_live then share_bytes else 0 end)
        as added_bytes,
    sum(case when moment = 'before' and not is_live then share_bytes else 0 end)
        as orphaned_bytes,
    sum(
        case
            when not (was_live and is_live) then 0
            when moment = 'after' then share_bytes
            when moment = 'before' then -share_bytes
            else 0
        end
    ) as shifted_bytes,
    sum(
        case
            when moment = 'after' then share_bytes
            when moment = 'then' or not is_learned then -share_bytes
            else 0
        end
    ) as difference_bytes
from shares
group by run_key, place;
