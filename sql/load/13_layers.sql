-- The layers of the accepted texts. Where a digest has several texts, theirs are told
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
    from arriving_layers
),

numbered as (
    select
        * exclude (arrival),
        1 as text_number,
    from in_order
    anti join several using (manifest_digest)
    union all
    select
        * exclude (arrival),
        sum((position = 0)::integer) over (
            partition by manifest_digest
            order by arrival
        ) as text_number,
    from in_order
    semi join several using (manifest_digest)
)

select * exclude (text_number)
from numbered
semi join wanted using (manifest_digest, text_number);
