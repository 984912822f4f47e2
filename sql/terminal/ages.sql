-- The tags of each namespace by days since they were updated. An exclusive byte belongs to
-- one tag, so that those of all ages are what tags do not share.
select
    ages.namespace,
    ages.age_bucket,
    count(*) as tag_count,
    try_cast(sum(sizes.exclusive_bytes) as bigint) as exclusive_bytes,
    bool_and(sizes.exclusive_basis = 'exact') as is_exact
from reports.tag_ages as ages
inner join reports.tag_sizes as sizes
    on ages.namespace = sizes.namespace
    and ages.repository = sizes.repository
    and ages.tag = sizes.tag
group by ages.namespace, ages.age_bucket
order by ages.namespace, ages.age_bucket;
