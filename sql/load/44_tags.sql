-- Live tags as the registry says them; a row that says what it said is not rewritten,
-- unless its repository was made anew.
create or replace temp table rewritten as
with known as (
    select tags.* exclude (manifest_kind, first_seen_at, last_seen_at)
    from tags
    semi join (from chunk where not is_new) as lasting
        using (registry, namespace, repository)
)

select staged_tags.*
from staged_tags
inner join latest
    on staged_tags.rowid = latest.arrival and latest.state = 'live'
left join known
    on
    staged_tags.registry = known.registry
    and staged_tags.namespace = known.namespace
    and staged_tags.repository = known.repository
    and staged_tags.tag = known.tag
where staged_tags is distinct from known;

delete from tags using rewritten
where
    tags.registry = rewritten.registry
    and tags.namespace = rewritten.namespace
    and tags.repository = rewritten.repository
    and tags.tag = rewritten.tag;

delete from tags using changes
where
    tags.registry = changes.registry
    and tags.namespace = changes.namespace
    and tags.repository = changes.repository
    and tags.tag = changes.tag
    and not is_live(changes.change);

insert into tags by name
with first_seen as (
    select
        registry,
        namespace,
        repository,
        tag,
        max(valid_from) as first_seen_at,
    from tag_history
    semi join chunk using (registry, namespace, repository)
    where change = 'created'
    group by all
)

select
    rewritten.*,
    manifests.manifest_kind,
    first_seen.first_seen_at,
    getvariable('as_of') as last_seen_at,
from rewritten
inner join first_seen using (registry, namespace, repository, tag)
left join manifests on rewritten.manifest_digest = manifests.manifest_digest
order by registry, namespace, repository, tag;

update tags
set last_seen_at = getvariable('as_of')
from latest
where
    tags.registry = latest.registry
    and tags.namespace = latest.namespace
    and tags.repository = latest.repository
    and tags.tag = latest.tag
    and latest.state = 'live'
    and tags.last_seen_at <> getvariable('as_of');
