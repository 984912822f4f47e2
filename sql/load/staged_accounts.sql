-- The accounts that the staged records name, the most frequent first.
select domain_id
from staged_tags
where domain_id <> ''
group by domain_id
order by count(*) desc, domain_id
