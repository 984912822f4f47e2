-- Kinds of what nobody could read, by how many live tags' sizes they touch, then by how
-- many they are.
select kind, count(*) as gap_count
from reports.gaps
group by kind
order by sum(affected_tag_count) desc, gap_count desc, kind;
