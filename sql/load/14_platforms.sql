-- The children of the accepted indexes, told apart as in 13_layers.sql.
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

wanted as (
    select
        texts.manifest_digest,
        texts.text_number,
    from texts
    semi join accepted on texts.arrival = accepted.arrival
),

several as (
    select manifest_digest
    from texts
    where text_number = 2
),

in_order as (
    select
        *,
        row_number() over () as arrival,
    from arriving_platforms
),

numbered as (
    select
        * exclude (arrival),
        1 as text_number,
    from in_order
    anti join several on in_order.index_digest = several.manifest_digest
    union all
    select
        * exclude (arrival),
        sum((position = 0)::integer) over (
            partition by index_digest
            order by arrival
        ) as text_number,
    from in_order
    semi join several on in_order.index_digest = several.manifest_digest
)

select * exclude (text_number)
from numbered
semi join wanted
    on
        numbered.index_digest = wanted.manifest_digest
        and numbered.text_number = wanted.text_number;
