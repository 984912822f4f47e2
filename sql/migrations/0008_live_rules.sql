-- Retention rules that a registry has, and its own log of what they deleted.

create table ingest.retention_rules (
    registry varchar not null,
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    outcome varchar not null,
    answer varchar,
    error varchar,
    log_error varchar,
    retention_id bigint,
    template varchar,
    keeps integer,
    tag_selectors varchar,
    problem varchar,
    list_entry varchar,
    first_read_at timestamptz not null,
    last_read_at timestamptz not null
);

create table ingest.retention_selectors (
    registry varchar not null,
    namespace varchar not null,
    repository varchar not null,
    kind varchar not null,
    pattern varchar not null
);

create table ingest.retention_log (
    registry varchar not null,
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    entry_key varchar not null,
    retention_id bigint,
    rule_type varchar,
    tag varchar,
    deleted_at timestamptz,
    entry varchar not null,
    problem varchar
);

create table ingest.retention_fits (
    registry varchar not null,
    run_id varchar not null,
    namespace varchar not null,
    repository varchar not null,
    executed_at timestamptz not null,
    retention_id bigint not null,
    template varchar not null,
    clock varchar,
    days varchar,
    selectors varchar,
    unit varchar,
    match varchar,
    ties varchar,
    tag_count bigint not null,
    logged_count bigint not null,
    predicted_count bigint not null,
    agreed_count bigint not null
);

create view retention_rules as
with latest as (
    select
        registry,
        namespace,
        repository,
        max(last_read_at) as last_read_at
    from ingest.retention_rules
    group by registry, namespace, repository
)

select
    rules.registry,
    rules.namespace,
    rules.repository,
    rules.retention_id,
    rules.template,
    rules.keeps,
    rules.tag_selectors,
    rules.problem,
    rules.first_read_at,
    rules.last_read_at
from ingest.retention_rules as rules
inner join latest
    on rules.registry = latest.registry
    and rules.namespace = latest.namespace
    and rules.repository = latest.repository
    and rules.last_read_at = latest.last_read_at
inner join repositories
    on rules.registry = repositories.registry
    and rules.namespace = repositories.namespace
    and rules.repository = repositories.repository
where
    repositories.deleted_detected_at is null
    and (rules.template is not null or rules.problem is not null);
comment on view retention_rules is 'One row per repository that has a retention rule, as last read: see SWR_READ_RULES.';
comment on column retention_rules.registry is 'Short name of the registry.';
comment on column retention_rules.namespace is 'Namespace (organization).';
comment on column retention_rules.repository is 'Repository name.';
comment on column retention_rules.retention_id is 'The registry''s id of the rule.';
comment on column retention_rules.template is 'tag_rule (keeps the newest tags) or date_rule (keeps those updated lately); null if it cannot be judged.';
comment on column retention_rules.keeps is 'Tags or days that it keeps.';
comment on column retention_rules.tag_selectors is 'Its exceptions, a JSON array of objects with kind (label or regexp) and pattern.';
comment on column retention_rules.problem is 'Why it cannot be judged, in one sentence; null when it can.';
comment on column retention_rules.first_read_at is 'When it was first read so.';
comment on column retention_rules.last_read_at is 'When it was last read so.';

create view retention_log as
select
    registry,
    namespace,
    repository,
    tag,
    deleted_at,
    rule_type,
    retention_id
from ingest.retention_log
where problem is null;
comment on view retention_log is 'One row per deletion by a retention rule, as the registry''s own log has it.';
comment on column retention_log.registry is 'Short name of the registry.';
comment on column retention_log.namespace is 'Namespace (organization).';
comment on column retention_log.repository is 'Repository name.';
comment on column retention_log.tag is 'The tag that was deleted.';
comment on column retention_log.deleted_at is 'When, says the log.';
comment on column retention_log.rule_type is 'Kind of the rule that deleted it.';
comment on column retention_log.retention_id is 'The registry''s id of that rule.';
