-- A warehouse of 1,000,000 tags on 300,000 manifests (30,000 of them indexes) with about 3,100,000
-- layer rows in 2,000 repositories of 20 namespaces, after `runs` daily runs that saw each tag move
-- `moves` times on average, away from one of `abandoned` manifests that no tag points at any more, or
-- of the others. Deterministic: everything follows from numbers and their hashes.

create temp macro digest_of(name) as 'sha256:' || md5(name) || md5(name || 'z');
create temp macro run_at(number) as
    timestamptz '2026-01-01 12:00:00+00' + cast(number as integer) * interval 1 day;
create temp macro crawled_at(number) as run_at(number) - interval 30 minutes;
create temp macro begins_in(move, moves, phase) as
    1 + floor((move - 1 + phase) * (getvariable('runs') - 1) / moves)::integer;

insert into ingest.runs by name
select
    'cn' as registry,
    'run-' || lpad(number::varchar, 3, '0') as run_id, run_at(number) as as_of,
    'incremental' as mode, run_at(number) - interval 1 hour as started_at,
    run_at(number) as finished_at, 'complete' as status, '{}' as scope, 0 as unread_namespaces,
    0 as unread_repositories, 180 as stale_days, 2000 as requests, 0 as retries,
    0 as throttled_seconds,
from range(getvariable('runs')) as runs(number);

create temp table repos as
select
    number, 'ns' || lpad((number % 20)::varchar, 2, '0') as namespace,
    'repo-' || lpad(number::varchar, 4, '0') as repository,
from range(2000) as numbers(number);

insert into repositories by name
select
    'cn' as registry, namespace, repository, 0 as tag_count, 0 as unseen_tag_count,
    run_at(getvariable('runs') - 1) as read_at, 'complete' as crawl_status, run_at(0) as first_seen_at, run_at(getvariable('runs') - 1) as last_seen_at
from repos;

insert into ingest.crawls by name
select
    'cn' as registry, 0 as unseen_tag_count, true as is_listed,
    run_id, namespace, repository, 'complete' as status, 1 as requests, 1 as pages, 0 as received,
    0 as duplicates, 1 as attempts, started_at, started_at + interval 30 minutes as finished_at,
from repos cross join ingest.runs;

create temp table texts as
select
    number, digest_of('m' || number) as digest, (number % 2000)::integer as repo,
    if(number between 270000 and 299999, 'index', 'image') as kind,
from range(300000 + getvariable('abandoned')) as numbers(number);

-- Two to six layers of one of 300 bases, three of the repository, the rest of the image alone.
create temp table stacks as
select
    number, digest, position,
    case
        when position < base_layers then 'b' || (number % 300) || '-' || position
        when position < base_layers + 3
            then 'r' || repo || '-' || (number // 2000 % 12) || '-' || position
        else 'o' || number || '-' || position
    end as name,
from (
    select *, 2 + number % 5 as base_layers, 9 + hash(number * 7) % 6 as layer_count
    from texts where kind = 'image'
) as images
inner join range(14) as positions(position) on position < layer_count;

create temp table named_prefixes as
select
    digest as manifest_digest, position, name,
    digest_of(string_agg(name, '/') over (partition by number order by position)) as prefix_digest,
from stacks;

insert into ingest.layer_prefixes by name
select
    row_number() over () - 1 as prefix_key, prefix_digest, position,
    digest_of(name) as blob_digest, (hash(name) % 50000000)::bigint as size_bytes,
    'application/vnd.oci.image.layer.v1.tar+gzip' as media_type, true as is_stored,
from (select distinct prefix_digest, position, name from named_prefixes) as prefixes;

insert into ingest.manifest_prefixes by name
select
    named.manifest_digest, list(prefixes.prefix_key order by named.position) as prefix_keys,
from named_prefixes as named
inner join ingest.layer_prefixes as prefixes on named.prefix_digest = prefixes.prefix_digest
group by named.manifest_digest;

insert into platforms by name
select
    digest as index_digest, position,
    digest_of('m' || ((number - 270000) * 3 + position * 90001)) as manifest_digest,
    1500 as manifest_bytes, 'linux' as os, 'amd64' as architecture, false as is_attestation,
from texts cross join range(3) as positions(position)
where kind = 'index';

-- Every thirtieth index names a child that nobody has seen.
insert into platforms by name
select
    digest as index_digest, 9 as position, digest_of('gone' || number) as manifest_digest,
    1500 as manifest_bytes, false as is_attestation,
from texts where kind = 'index' and number % 30 = 0;

insert into manifests by name
select
    digest as manifest_digest, 'tag' as source, kind as manifest_kind,
    if(kind = 'image', digest_of('c' || texts.number), null) as config_digest,
    if(kind = 'image', 3000 + texts.number % 1000, null) as config_bytes,
    stacked.layer_count, 'exact' as size_basis, true as digest_verified, 1500 as manifest_bytes,
    repeat('x', 1200) as manifest,
    run_at(if(texts.number % 10 = 0, texts.number % getvariable('runs'), 0)) as first_seen_at,
from texts
left join (
    select number, count(*)::integer as layer_count from stacks group by number
) as stacked on texts.number = stacked.number;

-- One tag in twenty is a signature of a manifest, one in ten points into another repository.
create temp table pointers as
select
    number, if(number % 20 = 1, number // 20 * 6, number * 7919 % 300000) as text,
    if(
        number % 20 = 1, 'sha256-' || digest_of('m' || (number // 20 * 6))[8:] || '.sig',
        'v' || number
    ) as tag,
from range(1000000) as numbers(number);

insert into tags by name
select
    'cn' as registry,
    namespace, repository, tag, texts.digest as manifest_digest, texts.kind as manifest_kind,
    run_at(getvariable('runs') - 1) - (hash(pointers.number) % 700)::integer * interval 1 day as created_at,
    run_at(getvariable('runs') - 1) - (hash(pointers.number) % 600)::integer * interval 1 day as updated_at,
    crawled_at(0) as first_seen_at, run_at(getvariable('runs') - 1) as last_seen_at,
from pointers
inner join texts on pointers.text = texts.number
inner join repos
    on repos.number = if(pointers.number % 10 = 0, hash(pointers.number) % 2000, texts.repo);

update repositories set tag_count = counted.tag_count
from (
    select namespace, repository, count(*) as tag_count from tags group by namespace, repository
) as counted
where
    repositories.namespace = counted.namespace and repositories.repository = counted.repository;

-- Moves of a tag are spread evenly over the runs; the last one put it where it is.
create temp table moved as
select
    *, hash(tag || 'q') % 1000 / 1000 as phase,
    floor(getvariable('moves') + hash(tag || 'r') % 1000 / 1000)::integer as moves,
from tags;

create temp table intervals as
select
    namespace, repository, tag, moves, move,
    if(
        move = moves, manifest_digest,
        digest_of('m' || hash(tag || 'w' || move) % (300000 + getvariable('abandoned')))
    ) as manifest_digest,
    if(move = 0, 0, begins_in(move, moves, phase)) as seen_in,
    if(move = moves, null, begins_in(move + 1, moves, phase)) as left_in,
from moved cross join range(ceil(getvariable('moves'))::bigint + 1) as numbers(move)
where move <= moves;

insert into tag_history by name
select
    'cn' as registry,
    namespace, repository, tag, manifest_digest, if(move = 0, 'created', 'moved') as change,
    crawled_at(seen_in) as valid_from,
    if(move = 0, null, crawled_at(seen_in - 1)) as valid_from_earliest,
    crawled_at(left_in) as valid_to, crawled_at(left_in - 1) as valid_to_earliest,
from intervals;
