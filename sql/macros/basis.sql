-- How far bytes of a set of tags are known: is_known if any of them are, is_uncertain if
-- parts of the set may add to them, is_shared_unread if something unread outside of the
-- set may use the same blobs.
create or replace temp macro basis(is_known, is_uncertain, is_shared_unread) as
case
    when not is_known or (is_uncertain and is_shared_unread) then 'unknown'
    when is_uncertain then 'lower_bound'
    when is_shared_unread then 'upper_bound'
    else 'exact'
end;
