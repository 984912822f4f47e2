"""What a failed run leaves: nothing that it built, and no landing that could only fail again.

What it read stays, for the next run to take up (`landing.zone`), unless the checks refused it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipelines.errors import CheckFailed, OtherRegistry, WarehouseError
from pipelines.landing.zone import refuse
from pipelines.run.crawl import landing_zone
from pipelines.settings import Settings
from pipelines.warehouse.building import connect_building, discard_building
from pipelines.warehouse.known import published_runs


@contextmanager
def undone_if_failed(settings: Settings, landed: str | None = None) -> Iterator[None]:
    """Discard the building file if a step fails: on a full disk it would keep the next run out.

    Args:
        settings: of the run.
        landed: the run whose landing is loaded; None for the one that the building file holds.
    """
    try:
        yield
    except BaseException as error:
        # What went wrong first is what counts.
        with suppress(WarehouseError):
            if isinstance(error, (CheckFailed, OtherRegistry)):
                for run_id in [landed] if landed else _loaded(settings):
                    refuse(landing_zone(settings) / run_id)
        with suppress(WarehouseError):
            discard_building(settings.warehouse_dir)
        raise


def _loaded(settings: Settings) -> list[str]:
    with connect_building(settings.warehouse_dir) as con:
        return published_runs(con)[-1:]
