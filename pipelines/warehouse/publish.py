"""Publish the building file: it becomes the state, and a copy of it the published warehouse.

Readers see all of a run or none of it. The state comes first: if the process dies in between, the
next run goes on from there and publishes. A warehouse of several registries has no state.
"""

import os
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import WarehouseError
from pipelines.warehouse.building import BUILDING, connect_building
from pipelines.warehouse.state import PUBLISHED, STATE, copy_file, set_aside_wal

_PUBLISHING = f"{BUILDING}.publishing"


class Publication(NamedTuple):
    """What was published, and where a leftover log of an analyst's session was put, if any."""

    path: Path
    log_set_aside: Path | None


def publish(directory: Path) -> Publication:
    """Make the building file the state, and a copy of it the published warehouse.

    A reader with the old file open keeps its data until it closes; whoever opens it afterwards
    sees the new one. Within one process that holds only for connections of this room: a plain
    `duckdb.connect` shares the database that another one of the same path has open.

    Raises:
        WarehouseMissing: there is no building file.
        WarehouseError: it cannot be written or renamed.
    """
    with connect_building(directory):
        pass  # leaving it checkpoints what an earlier step may have left
    building, published = directory / BUILDING, directory / PUBLISHED
    copy = directory / _PUBLISHING
    try:
        copy_file(building, copy)
        _sync(copy)
        _sync(building)
        building.replace(directory / STATE)
        log = set_aside_wal(published)
        copy.replace(published)
        _sync(directory)
    except OSError as error:
        raise _not_replaced(published, error) from error
    return Publication(published, log)


def publish_without_state(directory: Path) -> Path:
    """Make the building file the published warehouse, as `publish` does; keep no state of it.

    Raises:
        WarehouseError: it cannot be renamed.
    """
    building, published = directory / BUILDING, directory / PUBLISHED
    try:
        _sync(building)
        set_aside_wal(published)
        building.replace(published)
        _sync(directory)
    except OSError as error:
        raise _not_replaced(published, error) from error
    return published


def _not_replaced(published: Path, error: OSError) -> WarehouseError:
    return WarehouseError(
        f"{published} could not be replaced ({error.strerror}): the last one stays."
    )


def _sync(path: Path) -> None:
    """Have the disk hold what was written to a file, or renamed in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
