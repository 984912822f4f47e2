-- The layers of the accepted texts. Those of several texts for one digest are told
-- apart by counting: each begins at position 0, in the order of the texts.
insert into layers
with texts as (
    select
        arrival,
        manifest_digest,
        row_number() over (
            partition by manifest_digest
            order by arrival
        ) as text_number,
    from arrived
    where layer_count > 0
),

arrived_layers as (
    select
        *,
        row_number() over () as arrival,
    from arriving_layers
),

numbered as (
    select
        *,
        sum((position = 0)::integer) over (
            partition by manifest_digest
            order by arrival
            rows unbounded preceding
        ) as text_number,
    from arrived_layers
),

final as (
    select numbered.* exclude (text_number)
    from numbered
    inner join texts
        on
            numbered.manifest_digest = texts.manifest_digest
            and numbered.text_number = texts.text_number
    inner join accepted on texts.arrival = accepted.arrival
)

select * exclude (arrival)
from final
order by arrival;
