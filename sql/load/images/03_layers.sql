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

wanted as (
    select
        texts.manifest_digest,
        texts.text_number,
    from texts
    inner join accepted on texts.arrival = accepted.arrival
),

several as (
    select distinct manifest_digest
    from texts
    where text_number > 1
),

numbered as (
    select
        *,
        1 as text_number,
    from arriving_layers
    anti join several using (manifest_digest)
    union all
    select
        * exclude (arrival),
        sum((position = 0)::integer) over (
            partition by manifest_digest
            order by arrival
        ) as text_number,
    from (select *, row_number() over () as arrival from arriving_layers)
    semi join several using (manifest_digest)
)

select * exclude (text_number)
from numbered
semi join wanted using (manifest_digest, text_number);
