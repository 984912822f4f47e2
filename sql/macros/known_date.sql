-- A moment that a registry states, or null if it is no date: in or before 1970, the
-- constant of reproducible builds, or more than a day after as_of.
create or replace temp macro known_date(moment, as_of) as
case
    when
        moment >= timestamptz '1971-01-01 00:00:00+00'
        and moment <> timestamptz '1980-01-01 00:00:01+00'
        and moment <= as_of + interval '1' day
        then moment
end;
