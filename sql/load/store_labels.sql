-- The labels of configurations that are not stored yet.
insert into image_labels
select *
from arriving_labels
where config_digest not in (select config_digest from image_labels);
