-- error
-- No bytes are negative.
select *
from main.layers
where
    size_bytes < 0;
