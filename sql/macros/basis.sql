-- How far the bytes of a set of tags are known. is_known: some of them are. is_uncertain:
-- parts of the set may add to them. is_unread_elsewhere: something unread outside of the
-- set may use the same blobs.
create or replace temp macro basis(is_known, is_uncertain, is_unread_elsewhere) as
case
    when not is_known or (is_uncertain and is_unread_elsewhere) then 'unknown'
    when is_uncertain then 'lower_bound'
    when is_unread_elsewhere then 'upper_bound'
    else 'exact'
end;
