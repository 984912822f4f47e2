-- Whole days of 24 hours between two moments; 0 if the first is the later one.
create or replace temp macro whole_days(since, until) as
case
    when until < since then 0
    else cast((epoch_us(until) - epoch_us(since)) // 86400000000 as integer)
end;
