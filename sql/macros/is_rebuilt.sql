-- Whether rows that earlier runs have written are made anew from history.
create or replace temp macro is_rebuilt() as false;
