-- The children of the accepted indexes, told apart as in 13_layers.sql.
insert into platforms
with numbered_texts as (
    select
        arrival,
        manifest_digest,
        row_number() over (
            partition by manifest_digest
            order by arrival
        ) as text_number,
    from arrived
    where rival_text is not null and manifest_kind = 'index'
),

in_order as (
    select
        row_number() over () as arrival,
        *,
    from arriving_platforms
),

numbered as (
    select
        * exclude (arrival),
        sum((position = 0)::integer) over (
            partition by index_digest
            order by arrival
        ) as text_number,
    from in_order
    where index_digest in (select manifest_digest from numbered_texts)
)

select *
from arriving_platforms
where
    index_digest in (
        select manifest_digest
        from accepted
        where is_alone
    )
union all
select * exclude (text_number)
from numbered
semi join (
    select numbered_texts.*
    from numbered_texts
    semi join accepted on numbered_texts.arrival = accepted.arrival
) as wanted
    on
        numbered.index_digest = wanted.manifest_digest
        and numbered.text_number = wanted.text_number;
