-- What keeps figures from being exact, by kind: how many things there are, and the live
-- tags whose size is not exact because of them (a tag counts with each).
select
    kind,
    count(*) as gap_count,
    cast(sum(affected_tag_count) as bigint) as affected_tag_count,
    min(since) as since,
    min(remedy) as remedy
from reports.gaps
group by kind
order by affected_tag_count desc, gap_count desc, kind;
