-- The children of the accepted indexes.
insert into platforms
select *
from arriving_platforms
where index_digest in (select manifest_digest from accepted);
