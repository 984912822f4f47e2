-- How far the bytes of a set of tags are known. is_known: some of them are, or nothing is
-- unread. is_uncertain: something unread or of unknown size inside of the set, which may
-- add to them. is_unread_elsewhere: something unread outside of it may use the same blobs.
-- is_in_doubt: they may be off either way.
create or replace temp macro basis(
    is_known, is_uncertain, is_unread_elsewhere, is_in_doubt
) as case
    when not is_known then 'unknown'
    when is_in_doubt or (is_uncertain and is_unread_elsewhere) then 'estimate'
    when is_uncertain then 'lower_bound'
    when is_unread_elsewhere then 'upper_bound'
    else 'exact'
end;
