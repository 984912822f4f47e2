-- error
-- What a run changed of the repositories adds up to what it changed of the registry, and
-- what shifted between them to nothing. Where runs were before the first with rows, from the
-- second one on.
with
begun as (
    select min(as_of) as as_of from reports.repository_growth
),

first_run as (
    select min(as_of) as as_of from reports.daily_growth
),

totals as (
    select
        run_id,
        sum(added_bytes) as added_bytes,
        sum(orphaned_bytes) as orphaned_bytes,
        sum(learned_bytes) as learned_bytes,
        sum(shifted_bytes) as shifted_bytes,
        sum(
            created_count + moved_count + deleted_count + restored_count
            + forgotten_count
        ) as change_count
    from reports.repository_growth
    group by run_id
)

select
    growth.run_id,
    growth.added_bytes,
    growth.orphaned_bytes,
    growth.learned_bytes,
    totals.added_bytes as repositories_added_bytes,
    totals.orphaned_bytes as repositories_orphaned_bytes,
    totals.learned_bytes as repositories_learned_bytes,
    totals.shifted_bytes
from reports.daily_growth as growth
cross join begun
cross join first_run
left join totals on growth.run_id = totals.run_id
where
    (growth.as_of > begun.as_of or begun.as_of = first_run.as_of)
    and (
        growth.added_bytes <> coalesce(totals.added_bytes, 0)
        or growth.orphaned_bytes <> coalesce(totals.orphaned_bytes, 0)
        or growth.learned_bytes <> coalesce(totals.learned_bytes, 0)
        or totals.shifted_bytes <> 0
        or growth.created_count + growth.moved_count + growth.deleted_count
        + growth.restored_count + growth.forgotten_count
        <> coalesce(totals.change_count, 0)
    );
