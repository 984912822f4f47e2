-- error
-- A rule that keeps more deletes and gives back less, and where no tag goes, nothing does.
with pairs as (
    select
        *,
        lag(deleted_tag_count) over curve as deleted_tag_count_before,
        lag(reclaimable_bytes) over curve as reclaimable_bytes_before
    from reports.retention_curve
    window curve as (
        partition by registry, scope, namespace, repository, template order by keeps
    )
)

select *
from pairs
where
    deleted_tag_count >= deleted_tag_count_before
    or reclaimable_bytes > reclaimable_bytes_before
    or (deleted_tag_count = 0 and reclaimable_bytes > 0);
