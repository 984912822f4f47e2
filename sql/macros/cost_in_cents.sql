-- What bytes cost, in hundredths of a currency's unit and whole ones, half of one rounded up.
-- price_in_millionths is that of 1 GB, which is 2^30 bytes. Of a sum: hugeints, nothing is
-- lost.
create or replace temp macro cost_in_cents(bytes, price_in_millionths) as
(cast(bytes as hugeint) * price_in_millionths * 2 + 10737418240000) // 21474836480000;
