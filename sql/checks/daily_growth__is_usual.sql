-- warn
-- The latest run's growth a day (bytes added less bytes orphaned) differs from the mean of
-- the 30 days before it by more than four standard deviations, and by more than one
-- percent of the registry. Needs seven runs to compare with.
with
runs as (
    select
        *,
        row_number() over (order by as_of desc, run_id desc) as from_last,
        lag(as_of) over (order by as_of, run_id) as previous_as_of
    from reports.daily_growth
),

-- Growth over several days is divided by them; several runs a day count as they are.
rates as (
    select
        run_id,
        as_of,
        from_last,
        deduplicated_before_bytes,
        (added_bytes - orphaned_bytes) / greatest(
            1.0,
            (extract(epoch from as_of) - extract(epoch from previous_as_of)) / 86400.0
        ) as bytes_a_day
    from runs
    where previous_as_of is not null
),

latest as (select * from rates where from_last = 1),

usual as (
    select
        count(*) as run_count,
        avg(rates.bytes_a_day) as mean_bytes,
        stddev_pop(rates.bytes_a_day) as deviation_bytes
    from rates
    inner join latest on rates.as_of >= latest.as_of - interval '30' day
    where rates.from_last > 1
)

select
    latest.run_id,
    latest.as_of,
    cast(latest.bytes_a_day as bigint) as grown_bytes,
    cast(usual.mean_bytes as bigint) as usual_bytes,
    cast(usual.deviation_bytes as bigint) as deviation_bytes,
    usual.run_count
from latest
cross join usual
where
    usual.run_count >= 7
    and abs(latest.bytes_a_day - usual.mean_bytes) > 4 * usual.deviation_bytes
    and abs(latest.bytes_a_day - usual.mean_bytes)
    > 0.01 * latest.deduplicated_before_bytes;
