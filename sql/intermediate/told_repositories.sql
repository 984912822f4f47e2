-- One row per repository of which an earlier building has written that its allocated
-- bytes changed, with what they were after the last run that is not new; the table is
-- made here, before its first row.
create table if not exists reports.repository_growth (
    registry varchar,
    run_id varchar,
    as_of timestamptz,
    day date,
    namespace varchar,
    repository varchar,
    created_count bigint,
    moved_count bigint,
    deleted_count bigint,
    restored_count bigint,
    forgotten_count bigint,
    allocated_before_bytes bigint,
    added_bytes bigint,
    orphaned_bytes bigint,
    learned_bytes bigint,
    shifted_bytes bigint,
    allocated_after_bytes bigint,
    basis varchar
);

create or replace table intermediate.told_repositories as
with told as (
    select
        growth.registry,
        growth.namespace,
        growth.repository,
        growth.allocated_after_bytes,
        row_number() over (
            partition by growth.registry, growth.namespace, growth.repository
            order by runs.run_key desc
        ) as from_last
    from reports.repository_growth as growth
    inner join intermediate.run_numbers as runs on growth.run_id = runs.run_id
    cross join intermediate.new_history as new
    where runs.run_key < new.first_run_key
)

select registry, namespace, repository, allocated_after_bytes
from told
where from_last = 1;
