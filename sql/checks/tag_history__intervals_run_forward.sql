-- error
-- No interval ends before it begins, nor begins before the crawl that did not see it.
select *
from main.tag_history
where
    valid_to < valid_from
    or valid_from_earliest > valid_from
    or valid_to_earliest > valid_to;
