-- error
-- Every repository has a curve of both kinds from 1 on: the newest tag stays, and no more
-- is given back than is exclusive to the repository.
with firsts as (
    select *
    from reports.retention_curve
    where scope = 'repository' and keeps = 1
)

select
    sizes.registry,
    sizes.namespace,
    sizes.repository,
    sizes.tag_count,
    sizes.exclusive_bytes,
    firsts.template,
    firsts.deleted_tag_count,
    firsts.reclaimable_bytes
from reports.repository_sizes as sizes
left join firsts
    on sizes.registry = firsts.registry
    and sizes.namespace = firsts.namespace
    and sizes.repository = firsts.repository
where
    firsts.keeps is null
    or firsts.reclaimable_bytes > sizes.exclusive_bytes
    or firsts.deleted_tag_count > sizes.tag_count
    or (
        firsts.template = 'tag_rule'
        and sizes.tag_count > 0
        and firsts.deleted_tag_count <> sizes.tag_count - 1
    );
