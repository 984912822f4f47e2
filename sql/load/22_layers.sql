-- The layers of the accepted texts.
insert into layers
select *
from arriving_layers;
