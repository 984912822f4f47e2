-- The day of a moment, as text.
create or replace temp macro utc_day(moment) as
cast(cast(moment at time zone 'UTC' as date) as varchar);
