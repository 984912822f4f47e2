"""The jobs, and what starts them by the clock: daily and weekly ingests, the clear-up.

`sensors` has what reacts to anything else. dagster.yaml lets runs wait for one another, because a
warehouse has one writer.
https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import dagster as dg

from assets.defs.clear_up import CLEAR_UP
from assets.registries import tags_of
from pipelines.registries import chosen_names
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
    reason_to_skip: Callable[[], str | None] = lambda: None,
    run_config: Mapping[str, Any] = MappingProxyType({}),
) -> dg.ScheduleDefinition:
    """Make a schedule that is on by default and says why it starts nothing.

    It starts a run for each registry, but for one whose last run is still going.
    """

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=_CALENDAR.time_zone,
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        if reason := reason_to_skip():
            return dg.SkipReason(reason)
        going = {name: _still_going(context, job.name, name) for name in chosen_names()}
        if all(going.values()):
            return dg.SkipReason(" ".join(filter(None, going.values())))
        return [
            dg.RunRequest(run_key=name, run_config=dict(run_config), tags=tags_of(name))
            for name, reason in going.items()
            if not reason
        ]

    return tick


def no_registry() -> str | None:
    """Why nothing can be read on a machine that only tries the demo; None elsewhere."""
    if read_settings().has_registry:
        return None
    return "There is no registry to read yet: set SWR_REGION, SWR_ENDPOINT or SWR_REGISTRIES."


def _still_going(
    context: dg.ScheduleEvaluationContext, job: str, registry: str | None
) -> str | None:
    """Say which run of a registry has not ended yet; None if each has."""
    of_registry = dg.RunsFilter(job_name=job, statuses=_UNFINISHED, tags=tags_of(registry))
    runs = context.instance.get_runs(of_registry, limit=1)
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
    reason_to_skip=no_registry,
)
WEEKLY = _by_the_clock(
    "weekly_full",
    INGEST,
    cron=_CALENDAR.weekly_cron,
    description="Once a week everything is read, also what seems unchanged. When is set by"
    " SWR_WEEKLY_FULL_AT and SWR_SCHEDULE_TIME_ZONE.",
    reason_to_skip=no_registry,
    run_config={"ops": {Step.CRAWL.value: {"config": {"full": True}}}},
)
CLEARING = _by_the_clock(
    "clearing_up",
    CLEAR_UP,
    cron=_CALENDAR.weekly_cron,
    description="Once a week, queued with the full run: what is older than SWR_KEEP_LANDING_DAYS"
    " and SWR_KEEP_HISTORY_DAYS goes.",
)
