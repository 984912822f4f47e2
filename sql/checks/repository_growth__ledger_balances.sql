-- error
-- Each row of a repository begins with the bytes the one before ended with, its parts add
-- up, and the last one ends with what the repository has, where that is known.
with numbered as (
    select
        *,
        lag(allocated_after_bytes) over in_order as previous_after_bytes,
        row_number() over (
            partition by registry, namespace, repository order by as_of desc, run_id desc
        ) as from_last
    from reports.repository_growth
    window in_order as (
        partition by registry, namespace, repository order by as_of, run_id
    )
)

select numbered.*, sizes.allocated_bytes
from numbered
left join reports.repository_sizes as sizes
    on numbered.registry = sizes.registry
    and numbered.namespace = sizes.namespace
    and numbered.repository = sizes.repository
where
    numbered.allocated_before_bytes <> numbered.previous_after_bytes
    or numbered.allocated_before_bytes + numbered.added_bytes - numbered.orphaned_bytes
    + numbered.learned_bytes + numbered.shifted_bytes <> numbered.allocated_after_bytes
    or (
        numbered.from_last = 1
        and numbered.allocated_after_bytes <> sizes.allocated_bytes
    );
