"""What reacts to events: namespaces that appear and vanish, runs that fail.

`schedules` has what starts by the clock. https://docs.dagster.io/guides/automate/sensors
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import dagster as dg

from assets.defs.schedules import no_registry
from assets.partitions import NAMESPACES
from assets.registries import REGISTRY_TAG, partition_of, partitions_of
from pipelines import errors
from pipelines.errors import SwrWarehouseError
from pipelines.registries import chosen_names, read_one
from pipelines.run.alerts import Alert, post
from pipelines.run.discover import visible_namespaces
from pipelines.settings import read_settings

_OWN_ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, SwrWarehouseError)
}
_LOOK_EVERY_SECONDS = 600


@dg.sensor(
    minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps the partitions of tag_pages as the namespaces the credentials can see:"
    " new ones are added, vanished ones retired. Starts no run: the next one reads what is new.",
)
def namespaces(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Add namespaces that became visible, retire those that a complete listing lacks."""
    known = context.instance.get_dynamic_partitions(NAMESPACES.name or "")
    try:
        if reason := no_registry():
            return dg.SensorResult(skip_reason=reason)
        names = chosen_names()
    except SwrWarehouseError as error:
        return dg.SensorResult(skip_reason=f"The namespaces could not be listed. {error}")
    found = [_look(name, known) for name in names]
    new = sorted(name for one in found for name in one.new)
    # Those of a registry that is no longer one of several, too.
    strays = set(known).difference(*(partitions_of(name, known) for name in names))
    gone = sorted(strays.union(*(one.gone for one in found)))
    changes = [NAMESPACES.build_add_request(new)] if new else []
    removals = [NAMESPACES.build_delete_request(gone)] if gone else []
    return dg.SensorResult(
        dynamic_partitions_requests=[*changes, *removals],
        skip_reason=" ".join(one.words for one in found),
    )


class _Changes(NamedTuple):
    """Partitions of a registry to add and to retire, and what to say of it."""

    words: str
    new: Collection[str] = ()
    gone: Collection[str] = ()


def _look(registry: str | None, partitions: Collection[str]) -> _Changes:
    """Compare what is visible of a registry with its partitions; one that fails changes nothing."""
    beginning = f"{registry}: " if registry else ""
    known = partitions_of(registry, partitions)
    try:
        listed = visible_namespaces(read_one(registry))
    except SwrWarehouseError as error:
        return _Changes(f"{beginning}The namespaces could not be listed. {error}")
    visible = {partition_of(registry, name) for name in listed}
    if known and not visible:
        return _Changes(
            f"{beginning}No namespace is visible any more. That looks like a missing permission,"
            " so none is retired: run `swr-warehouse doctor`."
        )
    new, gone = visible - known, known - visible
    return _Changes(f"{beginning}{_words(new, gone, visible)}", new, gone)


def _words(new: set[str], gone: set[str], visible: set[str]) -> str:
    if not new and not gone:
        return f"No change: {len(visible)} namespaces are visible."
    changes = [("Added", new), ("Retired", gone)]
    return " ".join(f"{what} {', '.join(sorted(names))}." for what, names in changes if names)


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    # Those of the command line too, which belong to no code location.
    monitor_all_code_locations=True,
    description="Posts failed runs to the webhook of SWR_ALERT_WEBHOOK_URL, as a small JSON"
    " object: text, job, run_id, error, will_retry.",
)
def run_failures(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Post one failed run to the webhook, if there is one."""
    url = read_settings().alert_webhook_url
    if url is None:
        return dg.SkipReason("SWR_ALERT_WEBHOOK_URL is not set: nobody is alerted.")
    run = context.dagster_run
    error = next(_own_errors(context), "Its process died, or an error came that was not expected.")
    will_retry = run.tags.get("dagster/will_retry") == "true"
    what_next = "Dagster tries it again." if will_retry else "See the run's page in Dagster."
    registry = run.tags.get(REGISTRY_TAG)
    job = f"{run.job_name} ({registry})" if registry else run.job_name
    text = f"Run {run.run_id} of {job} failed: {error} {what_next}"
    post(url, Alert(text, run.job_name, run.run_id, error, will_retry))
    return None


def _own_errors(context: dg.RunFailureSensorContext) -> Iterator[str]:
    """The errors of ours that ended the run; other errors may hold anything, secrets included."""
    for event in [*context.get_step_failure_events(), context.failure_event]:
        error = getattr(event.event_specific_data, "error", None)
        while error is not None:
            if error.cls_name in _OWN_ERRORS:
                yield error.message.partition(": ")[2].strip()
            error = error.cause
