-- Retention rules as this run read them: one that is as before was read once more.
create or replace temp table latest_rules as
select
    registry,
    namespace,
    repository,
    arg_max(rules.rowid, rules.last_read_at) as row_number,
from ingest.retention_rules as rules
inner join staged_retention_rules using (registry, namespace, repository)
group by all;

create or replace temp table same_rules as
select
    latest.row_number,
    staged.*,
from staged_retention_rules as staged
inner join latest_rules as latest using (registry, namespace, repository)
inner join ingest.retention_rules as known on latest.row_number = known.rowid
where
    staged.outcome = known.outcome
    and staged.answer is not distinct from known.answer;

update ingest.retention_rules as known
set
    error = same_rules.error,
    log_error = same_rules.log_error,
    list_entry = same_rules.list_entry,
    last_read_at = same_rules.read_at
from same_rules
where known.rowid = same_rules.row_number;

insert into ingest.retention_rules by name
select
    (select run_id from staged_run) as run_id,
    staged.* exclude (read_at),
    staged.read_at as first_read_at,
    staged.read_at as last_read_at,
from staged_retention_rules as staged
anti join same_rules using (registry, namespace, repository)
order by namespace, repository;

delete from ingest.retention_selectors as known
using staged_retention_rules as staged
where
    known.registry = staged.registry
    and known.namespace = staged.namespace
    and known.repository = staged.repository;

insert into ingest.retention_selectors by name
with listed as (
    select
        registry,
        namespace,
        repository,
        unnest(
            from_json(tag_selectors, '[{"kind": "VARCHAR", "pattern": "VARCHAR"}]')
        ) as selector,
    from staged_retention_rules
    where tag_selectors is not null
)

select
    listed.registry,
    listed.namespace,
    listed.repository,
    listed.selector.kind,
    listed.selector.pattern,
from listed
order by all;

-- What the rules deleted, by the registry's own log.
insert into ingest.retention_log by name
select
    (select run_id from staged_run) as run_id,
    staged.*,
from new_deletions as staged
order by staged.namespace, staged.repository, staged.deleted_at, staged.entry_key;
