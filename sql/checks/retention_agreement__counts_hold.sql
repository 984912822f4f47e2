-- error
-- What both name is within what either names, and that within the tags; one reading of each
-- scope is the best, and one is the documented one.
select registry, namespace, repository
from reports.retention_agreement
group by registry, namespace, repository
having
    bool_or(
        agreed_tag_count > logged_tag_count
        or agreed_tag_count > predicted_tag_count
        or logged_tag_count + predicted_tag_count - agreed_tag_count > tag_count
        or agreement_percent > 100
    )
    or sum(case when is_documented then 1 else 0 end) <> 1
    or bool_or(is_best) is distinct from bool_or(agreement_percent is not null)
    or max(execution_count) > min(execution_count);
