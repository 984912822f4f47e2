-- The children of the accepted indexes, told apart as in 03_layers.sql.
insert into platforms
with texts as (
    select
        arrival,
        manifest_digest,
        row_number() over (
            partition by manifest_digest
            order by arrival
        ) as text_number,
    from arrived
    where manifest_kind = 'index'
),

arrived_platforms as (
    select
        *,
        row_number() over () as arrival,
    from arriving_platforms
),

numbered as (
    select
        *,
        sum((position = 0)::integer) over (
            partition by index_digest
            order by arrival
            rows unbounded preceding
        ) as text_number,
    from arrived_platforms
),

final as (
    select numbered.* exclude (text_number)
    from numbered
    inner join texts
        on
            numbered.index_digest = texts.manifest_digest
            and numbered.text_number = texts.text_number
    inner join accepted on texts.arrival = accepted.arrival
)

select * exclude (arrival)
from final
order by arrival;
