"""Publish the building file: checkpoint, close, rename. Readers see all of a run or none of it."""

import os
from pathlib import Path

from pipelines.errors import WarehouseError
from pipelines.warehouse.building import BUILDING, PUBLISHED, connect_building


def publish(directory: Path) -> Path:
    """Make the building file the published one and return its path.

    A reader with the old file open keeps its data until it closes; whoever opens it afterwards
    sees the new. Within one process that holds only for connections of this room: a plain
    `duckdb.connect` shares the database another one of the same path has open, old as it may be.

    Raises:
        WarehouseMissing: there is no building file.
        WarehouseError: it cannot be written or renamed.
    """
    with connect_building(directory):
        pass  # leaving it checkpoints what an earlier step may have left
    building, published = directory / BUILDING, directory / PUBLISHED
    try:
        _sync(building)
        building.replace(published)
        _sync(directory)
    except OSError as error:
        raise WarehouseError(
            f"{published} could not be replaced ({error.strerror}): the last one stays."
        ) from error
    return published


def _sync(path: Path) -> None:
    """Have the disk hold what was written to a file, or renamed in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
