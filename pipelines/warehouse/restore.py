"""Begin with a published file: because an earlier release wrote it, or the state is lost."""

from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import StateMissing, WarehouseMissing
from pipelines.warehouse.building import BUILDING, connect_empty_building, discard_building
from pipelines.warehouse.migrations import describe_tables, migrate
from pipelines.warehouse.state import PUBLISHED, STATE, adopt, has_state, is_made_from_a_state


def ensure_state(directory: Path) -> None:
    """Take over what a release without a state has published; to be called with the writer lock.

    Raises:
        StateMissing: the published file was made from a state, and that is not there.
        WarehouseError: the published file cannot be read, or is no warehouse.
    """
    published = directory / PUBLISHED
    if has_state(directory) or not published.exists():
        return
    if is_made_from_a_state(published):
        raise StateMissing(
            f"{directory / STATE}, from which {published} was made, is not there: put it back, or"
            f" begin with what is published by `swr-warehouse restore {published}`."
        )
    restore(directory, published)


def restore(directory: Path, source: Path) -> Path | None:
    """Make the state from a published file; to be called with the writer lock held.

    Args:
        directory: of the warehouse.
        source: a published file, the directory's own or a copy of one.

    Returns:
        Where the state of before now is; None if there was none.

    Raises:
        WarehouseMissing: there is no such file.
        WarehouseError: it cannot be read, or is no warehouse; the state stays as it was.
    """
    if not source.is_file():
        raise WarehouseMissing(f"There is no file {source}: name a published warehouse.")
    with connect_empty_building(directory) as con:
        adopt(con, source)
        migrate(con)
        describe_tables(con)
    state = directory / STATE
    aside = None
    if state.exists():
        aside = state.with_name(f"{STATE}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
        state.replace(aside)
    (directory / BUILDING).replace(state)
    discard_building(directory)
    return aside
