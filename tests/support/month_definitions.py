"""The project's code location, and a clock that ticks when the test of a month says so.

The clock is all that is made up: what it starts is what the schedules answer, through the same
queue. Dagster's own clock has no ticks shorter than a minute, nor a time that can be set.
"""

import os
from pathlib import Path

import dagster as dg

from assets import definitions
from assets.defs.schedules import DAILY, INGEST, WEEKLY

DAYS_A_WEEK = 7


@dg.sensor(job=INGEST, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def clock(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Ask the day's schedule what to start; where it skips, ask again."""
    day = Path(os.environ["MONTH_TODAY"]).read_text()
    if day == (context.cursor or ""):
        return dg.SensorResult(skip_reason="It is still the same day.")
    schedule = WEEKLY if int(day) % DAYS_A_WEEK == 0 else DAILY
    answer = schedule.evaluate_tick(dg.build_schedule_context(instance=context.instance))
    if not answer.run_requests:
        return dg.SensorResult(skip_reason=answer.skip_message)
    (asked,) = answer.run_requests
    request = dg.RunRequest(run_key=day, run_config=asked.run_config, tags={"day": day})
    return dg.SensorResult(run_requests=[request], cursor=day)


defs = dg.Definitions.merge(definitions.defs, dg.Definitions(sensors=[clock]))
