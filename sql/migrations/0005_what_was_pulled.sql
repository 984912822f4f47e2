-- What the tag lists leave out and the registry was asked for, and what it counts itself.

create table ingest.pulls (
    registry varchar not null,
    kind varchar not null,
    digest varchar not null,
    namespace varchar not null,
    repository varchar not null,
    outcome varchar not null,
    size_bytes bigint,
    detail varchar,
    run_id varchar not null,
    asked_at timestamptz not null
);

create table image_configs (
    manifest_digest varchar not null,
    config_digest varchar not null,
    os varchar,
    architecture varchar,
    variant varchar,
    built_at timestamptz,
    labels varchar not null,
    base_name varchar,
    base_digest varchar,
    history_steps integer,
    problem varchar
);
