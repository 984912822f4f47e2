-- How many live tags an incomplete reading did not see.
insert into unseen
select
    registry,
    namespace,
    repository,
    count(*) as tag_count,
from tags
semi join (from chunk where status = 'incomplete') as incomplete
    using (registry, namespace, repository)
anti join latest using (registry, namespace, repository, tag)
group by all;
