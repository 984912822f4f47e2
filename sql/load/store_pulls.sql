-- Answers that are not stored yet, in the order they came.
insert into ingest.pulls by name
select
    getvariable('registry') as registry,
    arriving.* exclude (body),
    $run_id as run_id,
from arriving_pulls as arriving
anti join ingest.pulls using (kind, digest, namespace, repository, asked_at)
order by arriving.asked_at, arriving.kind, arriving.digest;
