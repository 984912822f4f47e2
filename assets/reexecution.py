"""A run that continues another one: whose landing it loads, whose building file it completes.

"Re-execute from failure" skips the steps that succeeded, and Dagster's page of all assets crawls in
a run of its own; what those left on disk bears the id of the run that made it. If another run has
started since a failure, it is gone, and continuing would be wrong.
"""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg

from pipelines.errors import WarehouseError
from pipelines.landing.zone import latest_unpublished
from pipelines.run.ingest import Step
from pipelines.settings import Settings
from pipelines.warehouse.building import BUILDING, connect_building
from pipelines.warehouse.known import published_runs
from pipelines.warehouse.state import connect_state, has_state

_AGAIN = "launch the job `ingest` again, or re-execute all steps."


def run_that_read(instance: dg.DagsterInstance, run: dg.DagsterRun, settings: Settings) -> str:
    """The run whose landing is to be loaded.

    This one, or the nearest one it re-executes; for a run that neither read nor re-executes, the
    one that read last and is not published yet.

    Raises:
        WarehouseError: there is none any more, or it is published already.
    """
    zone = settings.warehouse_dir / "landing"
    landed = next((key for key in _lineage(instance, run) if (zone / key).is_dir()), None)
    if landed is None and run.parent_run_id is None:
        landed = latest_unpublished(zone, _published(settings))
    if landed is None:
        raise WarehouseError(f"What run {run.run_id} is to load is no longer there: {_AGAIN}")
    if landed in _published(settings):
        raise WarehouseError(f"What run {landed} read is published already: {_AGAIN}")
    return landed


def refuse_to_continue_another_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, settings: Settings
) -> None:
    """Let a re-execution that skips the load go on only with what its own predecessors loaded.

    Raises:
        WarehouseError: the building file is missing, or another run's.
    """
    if run.parent_run_id is None or Step.LOAD in (run.step_keys_to_execute or [Step.LOAD]):
        return
    if not (settings.warehouse_dir / BUILDING).exists():
        raise WarehouseError(
            f"What run {run.parent_run_id} built is no longer there, what it read is: {_AGAIN}"
        )
    with connect_building(settings.warehouse_dir) as con:
        loaded = published_runs(con)
    if not loaded or loaded[-1] not in set(_lineage(instance, run)):
        raise WarehouseError(f"Another run has begun since run {run.parent_run_id}: {_AGAIN}")


def _lineage(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[str]:
    """This run, the one it re-executes, the one that one re-executes, and so on."""
    at: dg.DagsterRun | None = run
    while at is not None:
        yield at.run_id
        if at.parent_run_id is None:
            return
        at = instance.get_run_by_id(at.parent_run_id)


def _published(settings: Settings) -> list[str]:
    if not has_state(settings.warehouse_dir):
        return []
    with closing(connect_state(settings.warehouse_dir)) as con:
        return published_runs(con)
