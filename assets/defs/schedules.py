"""The jobs, and what starts them by the clock: daily and weekly ingests, the clear-up.

`sensors` has what reacts to anything else. dagster.yaml lets runs wait for one another, because a
warehouse has one writer.
https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Callable
from typing import Any

import dagster as dg

from assets.defs.clear_up import CLEAR_UP
from pipelines.run.ingest import Step
from pipelines.settings import read_calendar, read_settings

# A run whose worker died starts again: it resumes the landing and loads it afresh.
ALL_STEPS = {"dagster/retry_strategy": "ALL_STEPS"}
# One process and few large steps; the crawl has threads of its own.
INGEST = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    tags=ALL_STEPS,
    description="Read the registry, load it, build and check the reports, publish the warehouse.",
)
_CALENDAR = read_calendar()
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _by_the_clock(
    name: str,
    job: Any,
    *,
    cron: str,
    description: str,
    reason_to_skip: Callable[[dg.ScheduleEvaluationContext], str | None],
    run_config: dict[str, Any],
) -> dg.ScheduleDefinition:
    """Make a schedule that is on by default and says why it starts nothing."""

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=_CALENDAR.time_zone,
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if reason := reason_to_skip(context):
            return dg.SkipReason(reason)
        return dg.RunRequest(run_config=run_config)

    return tick


def _nothing_to_read(context: dg.ScheduleEvaluationContext) -> str | None:
    """Why no run starts now; a wrong setting is no reason, because the run reports it."""
    return no_registry() or _still_going(context, "ingest")


def _nothing_to_clear(context: dg.ScheduleEvaluationContext) -> str | None:
    return _still_going(context, "clear_up")


def no_registry() -> str | None:
    """Why nothing can be read on a machine that only tries the demo; None elsewhere."""
    if read_settings().has_registry:
        return None
    return "There is no registry to read yet: set SWR_REGION or SWR_ENDPOINT."


def _still_going(context: dg.ScheduleEvaluationContext, job: str) -> str | None:
    runs = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=_UNFINISHED), limit=1)
    if not runs:
        return None
    return (
        f"The run {runs[0].run_id} has not ended yet ({runs[0].status.value.lower()}):"
        " the next tick starts one."
    )


DAILY = _by_the_clock(
    "daily",
    INGEST,
    cron=_CALENDAR.daily_cron,
    description="Every day but that of the weekly run: a repository that did not change costs one"
    " request. When is set by SWR_DAILY_AT and SWR_SCHEDULE_TIME_ZONE.",
    reason_to_skip=_nothing_to_read,
    run_config={},
)
WEEKLY = _by_the_clock(
    "weekly_full",
    INGEST,
    cron=_CALENDAR.weekly_cron,
    description="Once a week everything is read, also what seems unchanged. When is set by"
    " SWR_WEEKLY_FULL_AT and SWR_SCHEDULE_TIME_ZONE.",
    reason_to_skip=_nothing_to_read,
    run_config={"ops": {Step.CRAWL.value: {"config": {"full": True}}}},
)
CLEARING = _by_the_clock(
    "clearing_up",
    CLEAR_UP,
    cron=_CALENDAR.weekly_cron,
    description="Once a week, queued with the full run: what is older than SWR_KEEP_LANDING_DAYS"
    " and SWR_KEEP_HISTORY_DAYS goes.",
    reason_to_skip=_nothing_to_clear,
    run_config={},
)
