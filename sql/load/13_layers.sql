-- The layers of the accepted texts.
insert into layers
select *
from arriving_layers
where manifest_digest in (select manifest_digest from accepted);
