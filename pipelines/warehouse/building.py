"""The building file: what a run writes, private until it is published; and the writer's lock.

Steps of one run: writer_lock → start_building → connect_building as often as needed → publish.
It begins as a copy of the state (`state`). One that a dead run left is discarded by the next.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection
from filelock import FileLock, Timeout

from pipelines.errors import (
    WarehouseBusy,
    WarehouseError,
    WarehouseMissing,
    WarehouseShortOfMemory,
)
from pipelines.warehouse.connection import (
    is_environment_failure,
    is_short_of_memory,
    one_line,
    open_writable,
)
from pipelines.warehouse.migrations import make_tables
from pipelines.warehouse.resources import LEAST, Resources
from pipelines.warehouse.state import STATE, copy_file, damaged_state, has_state

BUILDING = ".building.duckdb"
_SPILL = ".building.duckdb.tmp"


def start_building(directory: Path) -> None:
    """Make a fresh building file from the state, if there is one, and migrate it.

    Raises:
        WarehouseError: the state is damaged, or the directory cannot be written.
        MigrationChanged: an applied migration is not the file it was.
        WarehouseTooNew: the state has a migration unknown to this version.
    """
    if not has_state(directory):
        with connect_empty_building(directory) as con:
            make_tables(con)
        return
    discard_building(directory)
    with _writing(directory):
        copy_file(directory / STATE, directory / BUILDING)
    try:
        # A migration may rewrite the largest texts, hence no limit on memory.
        with _open(directory, LEAST.unlimited()) as con:
            make_tables(con)
    except duckdb.Error as error:
        raise damaged_state(directory, error) from error


@contextmanager
def connect_empty_building(
    directory: Path, resources: Resources | None = None
) -> Iterator[DuckDBPyConnection]:
    """Begin a building file with nothing in it; without resources it may take what there is.

    Raises:
        WarehouseError: the directory cannot be written.
    """
    discard_building(directory)
    try:
        with _open(directory, resources or LEAST.unlimited()) as con:
            yield con
    except duckdb.Error as error:
        raise _unwritable(directory, one_line(error)) from error


@contextmanager
def connect_building(directory: Path, resources: Resources = LEAST) -> Iterator[DuckDBPyConnection]:
    """Open the building file for one step; closed in any case, kept for the next step.

    What was committed is on disk when the block ends; if it raises, the file is to be thrown away.

    Raises:
        WarehouseMissing: no run has started building.
        WarehouseShortOfMemory: it does not fit into the memory it may take.
        WarehouseError: the disk is full or the file is damaged.
    """
    path = directory / BUILDING
    if not path.exists():
        raise WarehouseMissing(f"{path} is not there: begin with the first step of an ingest.")
    try:
        with _open(directory, resources) as con:
            yield con
    except duckdb.Error as error:
        if not is_environment_failure(error):
            raise
        kind = WarehouseShortOfMemory if is_short_of_memory(error) else WarehouseError
        raise kind(
            f"{path} could not be read or written ({one_line(error)}), so nothing was published:"
            f" free some disk space or memory; if {STATE} is damaged, run `swr-warehouse restore`"
            " with a published file."
        ) from error


@contextmanager
def writer_lock(directory: Path, patience_seconds: float = 0) -> Iterator[None]:
    """Be the only writer of this directory; a dead process's lock is free by itself.

    Args:
        directory: of a warehouse.
        patience_seconds: how long to wait for another writer.

    Raises:
        WarehouseBusy: another run holds it.
        WarehouseError: the directory cannot be written.
    """
    holder = directory / ".lock.pid"
    lock = FileLock(directory / ".lock", mode=0o600, thread_local=False)
    with _writing(directory):
        try:
            lock.acquire(timeout=patience_seconds)
        except Timeout:
            raise WarehouseBusy(
                f"Another run{_process(holder)} is writing {directory}: wait for it to end."
            ) from None
    try:
        with _writing(directory):
            holder.write_text(str(os.getpid()))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def is_being_written(directory: Path) -> bool:
    """Whether a living process holds the writer lock of this directory."""
    path = directory / ".lock"
    if not path.exists():
        return False
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        with lock.acquire(blocking=False):
            return False
    except Timeout:
        return True


def _process(holder: Path) -> str:
    try:
        return f" (process {int(holder.read_text())})"
    except (OSError, ValueError):
        return ""


@contextmanager
def _open(directory: Path, resources: Resources) -> Iterator[DuckDBPyConnection]:
    con = open_writable(directory / BUILDING, directory / _SPILL, resources)
    try:
        (directory / BUILDING).chmod(0o600)
        yield con
        con.execute("checkpoint")
    finally:
        con.close()


def discard_building(directory: Path) -> None:
    """Remove what a run left of its building file.

    Raises:
        WarehouseError: the directory cannot be written.
    """
    with _writing(directory):
        for leftover in directory.glob(f"{BUILDING}*"):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """Make the directory if need be; say what is wrong if it cannot be written."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise _unwritable(directory, error.strerror or str(error)) from error


def _unwritable(directory: Path, reason: str) -> WarehouseError:
    return WarehouseError(
        f"The warehouse directory {directory} cannot be written ({reason}):"
        " free some space, or set SWR_WAREHOUSE_DIR to another one."
    )
