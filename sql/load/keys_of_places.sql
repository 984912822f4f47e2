-- The keys of the series of layers in hand.
select
    unnest(places) as place,
    prefix_key,
from keyed_prefixes;
