-- How many of them are exact.
select
    count(*) filter (where size_basis = 'exact') as exact_count,
    count(*) filter (where size_basis <> 'exact') as inexact_count
from reports.tag_sizes;
