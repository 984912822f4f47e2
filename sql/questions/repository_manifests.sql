-- One row per manifest that a live tag of a repository reaches and whose digest begins so,
-- with or without its algorithm.
with recursive walk as (
    select manifest_digest
    from main.tags
    where namespace = $namespace and repository = $repository
    union
    select platforms.manifest_digest
    from walk
    inner join main.platforms on walk.manifest_digest = platforms.index_digest
    where not coalesce(platforms.is_blob, false)
)

select manifest_digest
from walk
where
    starts_with(manifest_digest, $beginning)
    or starts_with(manifest_digest, 'sha256:' || $beginning)
order by manifest_digest;
