-- The children of the accepted indexes.
insert into platforms
select *
from arriving_platforms;
