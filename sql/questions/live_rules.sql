-- One row per repository with live tags and a retention rule of the registry that can be
-- judged.
select
    rules.namespace,
    rules.repository,
    rules.template,
    rules.keeps,
    rules.tag_selectors
from main.retention_rules as rules
where
    rules.template is not null
    and exists (
        select 1
        from main.tags
        where
            rules.registry = tags.registry
            and rules.namespace = tags.namespace
            and rules.repository = tags.repository
    )
order by rules.namespace, rules.repository;
