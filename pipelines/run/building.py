"""A building file for steps that run alone: what is published, which they change and publish again.

In a whole run the load makes it, and the last step publishes it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.engines.engine import engine_of
from pipelines.errors import WarehouseMissing
from pipelines.run.ingest import publish_run
from pipelines.run.progress import Progress
from pipelines.settings import Settings
from pipelines.warehouse.building import BUILDING, connect_building, start_building
from pipelines.warehouse.checks import raise_if_blocked
from pipelines.warehouse.resources import resources_of
from pipelines.warehouse.state import has_state


@contextmanager
def building(
    settings: Settings, run_id: str, progress: Progress, *, publishes_later: bool
) -> Iterator[None]:
    """Have a building file: the one that is there, else a copy of the state.

    The copy is published when the block ends, after every blocking check, unless a later step of
    the run does so.

    Raises:
        WarehouseMissing: there is neither.
        CheckFailed: what was built is not published.
    """
    directory = settings.warehouse_dir
    if (directory / BUILDING).exists():
        yield
        return
    if not has_state(directory):
        raise WarehouseMissing(f"{directory} holds nothing yet: launch the job `ingest` first.")
    start_building(directory)
    yield
    if publishes_later:
        return
    resources = resources_of(settings)
    with connect_building(directory, resources) as con:
        raise_if_blocked(engine_of(settings).run_checks(con, cursors=resources.cursors))
    publish_run(settings, run_id, progress)
