-- What a reference is a tag's by: see intermediate.reference_matches.
create or replace temp macro matched_by(way) as
case
    when way in (1, 4) then 'digest'
    when way in (2, 5) then 'child'
    when way in (3, 6) then 'config'
    when way = 7 then 'name'
end;
