-- One row per age bucket.
create or replace table intermediate.age_bucket_names as
select
    names.bucket_number,
    names.age_bucket
from (
    values
    (1, '0-7d'),
    (2, '8-30d'),
    (3, '31-90d'),
    (4, '91-180d'),
    (5, '181-365d'),
    (6, '>365d'),
    (7, 'unknown')
) as names (bucket_number, age_bucket);
