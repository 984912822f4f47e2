-- What of some bytes the one with this rank, from 1, of so many users has: whole bytes,
-- the remainder one each in the order of ranks.
create or replace temp macro equal_share(bytes, user_count, rank) as
bytes // user_count + case when rank <= bytes % user_count then 1 else 0 end;
