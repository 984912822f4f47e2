-- One row per repository, new run and kind of blobs of learned_blobs: its shares of them
-- before the run, as was known then and as is known since, and after it. was_live and
-- is_live: whether any repository used them before, as is known since, and after it.
create or replace table intermediate.learned_shares as
with
sized as (
    select
        learned.blob_key,
        learned.run_key,
        blobs.size_bytes,
        blobs.size_bytes as size_before_bytes
    from intermediate.learned_blobs as learned
    inner join intermediate.stored_blobs as blobs on learned.blob_key = blobs.blob_key
    where blobs.is_steady
    union all
    select
        learned.blob_key,
        learned.run_key,
        min(statements.size_bytes) as size_bytes,
        min(
            case
                when statements.first_run_key < learned.run_key then statements.size_bytes
            end
        ) as size_before_bytes
    from intermediate.learned_blobs as learned
    inner join intermediate.stored_blobs as blobs on learned.blob_key = blobs.blob_key
    inner join intermediate.blob_statements as statements
        on learned.blob_key = statements.blob_key
        and learned.run_key >= statements.first_run_key
    where not blobs.is_steady
    group by learned.blob_key, learned.run_key
),

candidates as (
    select
        sized.blob_key,
        sized.run_key,
        uses.place,
        uses.from_run_key < sized.run_key as was_known,
        uses.from_run_key < sized.run_key as was_used,
        uses.to_run_key is null or uses.to_run_key > sized.run_key as is_used
    from sized
    inner join intermediate.blob_uses as uses
        on sized.blob_key = uses.blob_key
        and sized.run_key >= uses.from_run_key
        and (uses.to_run_key is null or sized.run_key <= uses.to_run_key)
    union all
    select
        sized.blob_key,
        sized.run_key,
        uses.place,
        false as was_known,
        true as was_used,
        false as is_used
    from sized
    inner join intermediate.touched_uses as uses
        on sized.blob_key = uses.blob_key and sized.run_key = uses.since_run_key
    where
        uses.since_run_key > uses.from_run_key
        and (uses.to_run_key is null or uses.since_run_key <= uses.to_run_key)
),

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

moments as (
    select 'then' as moment
    union all
    select 'before' as moment
    union all
    select 'after' as moment
),

placed as (
    select
        users.blob_key,
        users.run_key,
        moments.moment,
        repos.namespace_place,
        users.place,
        row_number() over (
            partition by
                users.blob_key, users.run_key, moments.moment, repos.namespace_place
            order by users.place
        ) as repository_rank
    from users
    cross join moments
    inner join intermediate.history_repositories as repos on users.place = repos.place
    where
        case moments.moment
            when 'then' then users.was_known
            when 'before' then users.was_used
            else users.is_used
        end
),

namespaces as (
    select
        blob_key,
        run_key,
        moment,
        namespace_place,
        count(*) as repository_count,
        row_number() over (
            partition by blob_key, run_key, moment order by namespace_place
        ) as namespace_rank,
        count(*) over (partition by blob_key, run_key, moment) as namespace_count
    from placed
    group by blob_key, run_key, moment, namespace_place
),

shares as (
    select
        placed.blob_key,
        placed.run_key,
        placed.moment,
        placed.place,
        equal_share(
            equal_share(
                case
                    when placed.moment = 'then' then coalesce(sized.size_before_bytes, 0)
                    else coalesce(sized.size_bytes, 0)
                end,
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
    inner join sized
        on placed.blob_key = sized.blob_key and placed.run_key = sized.run_key
),

lives as (
    select
        blob_key,
        run_key,
        bool_or(was_used) as was_live,
        bool_or(is_used) as is_live
    from users
    group by blob_key, run_key
)

select
    shares.run_key,
    shares.place,
    lives.was_live,
    lives.is_live,
    sum(case when shares.moment = 'then' then shares.share_bytes else 0 end)
        as then_bytes,
    sum(case when shares.moment = 'before' then shares.share_bytes else 0 end)
        as before_bytes,
    sum(case when shares.moment = 'after' then shares.share_bytes else 0 end)
        as after_bytes
from shares
inner join lives
    on shares.blob_key = lives.blob_key and shares.run_key = lives.run_key
group by shares.run_key, shares.place, lives.was_live, lives.is_live;
