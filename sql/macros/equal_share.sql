-- Bytes divided equally among users, in whole bytes: the share of the user with this rank,
-- from 1. The remainder goes to the first ranks, one byte each.
create or replace temp macro equal_share(bytes, user_count, rank) as
bytes // user_count + case when rank <= bytes % user_count then 1 else 0 end;
