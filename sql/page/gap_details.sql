-- Each thing that keeps a figure from being exact: the 300 that affect most tags, and the
-- others as one row.
with
placed as (
    select
        *,
        least(
            row_number() over (
                order by
                    affected_tag_count desc,
                    kind,
                    namespace,
                    repository,
                    tag,
                    manifest_digest,
                    detail
            ),
            301
        ) as place
    from reports.gaps
)

select
    case when place <= 300 then min(kind) end as kind,
    case when place <= 300 then min(namespace) end as namespace,
    case when place <= 300 then min(repository) end as repository,
    case when place <= 300 then min(tag) end as tag,
    case when place <= 300 then min(detail) end as detail,
    count(*) as gap_count,
    cast(sum(affected_tag_count) as bigint) as affected_tag_count,
    min(since) as since
from placed
group by place
order by place;
