-- One row per change of a tag that a run saw: created, moved, deleted, restored or
-- forgotten, with the bytes it orphaned. Rows of earlier runs stay as they are.
create table if not exists reports.tag_events (
    registry varchar,
    namespace varchar,
    repository varchar,
    tag varchar,
    change varchar,
    previous_digest varchar,
    manifest_digest varchar,
    detected_at timestamptz,
    earliest_at timestamptz,
    run_id varchar,
    orphaned_bytes bigint,
    orphaned_basis varchar
);

delete from reports.tag_events
where run_id in (
    select runs.run_id
    from intermediate.run_numbers as runs
    inner join intermediate.new_history as new on runs.run_key >= new.first_run_key
);

insert into reports.tag_events
select
    changes.registry,
    changes.namespace,
    changes.repository,
    changes.tag,
    changes.change,
    before.manifest_digest as previous_digest,
    manifests.manifest_digest,
    changes.valid_from as detected_at,
    changes.valid_from_earliest as earliest_at,
    runs.run_id,
    changes.orphaned_bytes,
    changes.orphaned_basis
from intermediate.tag_changes as changes
left join intermediate.manifest_keys as before
    on changes.previous_key = before.manifest_key
left join intermediate.manifest_keys as manifests
    on changes.manifest_key = manifests.manifest_key
inner join intermediate.run_numbers as runs on changes.run_key = runs.run_key
order by
    changes.valid_from,
    changes.registry,
    changes.namespace,
    changes.repository,
    changes.tag,
    changes.change in ('created', 'restored'),
    changes.change,
    manifests.manifest_digest;

comment on table reports.tag_events is 'One row per change of a tag a run saw, with the bytes it orphaned.';
comment on column reports.tag_events.registry is 'Short name of the registry.';
comment on column reports.tag_events.namespace is 'Namespace (organization).';
comment on column reports.tag_events.repository is 'Repository name, with / where it has levels.';
comment on column reports.tag_events.tag is 'Tag name.';
comment on column reports.tag_events.change is 'created, moved (to another digest), deleted, restored, or forgotten (by command, not seen gone).';
comment on column reports.tag_events.previous_digest is 'Digest the tag pointed at before a move, a deletion or being forgotten.';
comment on column reports.tag_events.manifest_digest is 'Digest it points at since; null after a deletion or once forgotten.';
comment on column reports.tag_events.detected_at is 'When a crawl saw the change.';
comment on column reports.tag_events.earliest_at is 'The last complete crawl before, which did not see it: it happened between the two; null if there was none.';
comment on column reports.tag_events.run_id is 'The run that saw it.';
comment on column reports.tag_events.orphaned_bytes is 'Its share of the bytes live tags reached before the run and no longer after it; 0 for created and restored tags, null when nothing is known of the old manifest.';
comment on column reports.tag_events.orphaned_basis is 'exact, lower_bound (parts of unknown size), upper_bound (something unread may still use them), estimate (both, or something is in doubt) or unknown, for orphaned_bytes.';
