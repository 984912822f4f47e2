-- What runs, by snapshots that people give.

create table ingest.in_use_snapshots (
    snapshot_id varchar not null,
    cluster varchar not null,
    taken_at timestamptz not null,
    kept_at timestamptz not null
);

create table ingest.in_use_references (
    snapshot_id varchar not null,
    reference varchar not null,
    image varchar,
    image_id varchar,
    found_in varchar not null,
    container_count bigint not null,
    host varchar,
    namespace varchar,
    repository varchar,
    tag varchar,
    digest varchar,
    id_host varchar,
    id_namespace varchar,
    id_repository varchar,
    id_digest varchar,
    is_readable boolean not null
);

alter table ingest.runs add column in_use_days bigint;
