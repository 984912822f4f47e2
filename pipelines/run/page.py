"""The page beside the published warehouse, for whoever opens it after a run."""

from collections.abc import Callable
from pathlib import Path

from pipelines.errors import SwrWarehouseError, WarehouseError
from pipelines.page.html.writing import PAGE, write_page
from pipelines.run.log import LOGGER
from pipelines.settings import Settings
from pipelines.warehouse.resources import resources_of


def write_page_beside(settings: Settings, tell: Callable[[str], object] = lambda _: None) -> None:
    """Write it anew, for its owner only, if the settings want it.

    No run fails with it: the log and `tell` hear why it was not written.
    """
    if not settings.write_page:
        return
    try:
        _replace(settings, settings.warehouse_dir / PAGE)
    except SwrWarehouseError as error:
        LOGGER.warning("page not written", extra={"fields": {"error": str(error)}})
        tell(f"The page was not written: {error}")


def _replace(settings: Settings, page: Path) -> None:
    part = page.with_name(f".{page.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with part.open("wb") as file:
            write_page(settings.warehouse_dir, file, resources_of(settings))
        part.replace(page)
    except OSError as error:
        raise WarehouseError(f"{page} cannot be written ({error.strerror}).") from error
