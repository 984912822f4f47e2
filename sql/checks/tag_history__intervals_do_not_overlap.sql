-- error
-- A tag's intervals follow one another without overlap or gap, and only the last is open.
with neighbours as (
    select
        *,
        lead(valid_from) over (
            partition by registry, namespace, repository, tag
            order by valid_from, valid_to nulls last
        ) as next_from
    from main.tag_history
)

select *
from neighbours
where valid_to is distinct from next_from;
