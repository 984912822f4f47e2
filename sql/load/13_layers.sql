-- The layers of the accepted texts. Where a digest has several texts, theirs are told
-- apart by counting: each begins at position 0, in the order of the texts.
insert into layers
with numbered_texts as (
    select
        arrival,
        manifest_digest,
        row_number() over (
            partition by manifest_digest
            order by arrival
        ) as text_number,
    from arrived
    where rival_text is not null and layer_count > 0
),

in_order as (
    select
        row_number() over () as arrival,
        *,
    from arriving_layers
),

numbered as (
    select
        * exclude (arrival),
        sum((position = 0)::integer) over (
            partition by manifest_digest
            order by arrival
        ) as text_number,
    from in_order
    where manifest_digest in (select manifest_digest from numbered_texts)
)

select *
from arriving_layers
where
    manifest_digest in (
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
) as wanted using (manifest_digest, text_number);
