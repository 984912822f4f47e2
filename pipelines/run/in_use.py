"""Snapshots of what runs: kept as people give them, loaded by the next run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import SnapshotError
from pipelines.landing.in_use import (
    keep_snapshot,
    kept_parts,
    read_part,
    read_snapshots,
    remove_part,
)
from pipelines.running.snapshot import snapshot_of
from pipelines.settings import Settings
from pipelines.warehouse.in_use import Landed, are_stored, store_snapshots

STANDARD_INPUT = Path("-")


def take_snapshot(
    directory: Path,
    files: Sequence[Path],
    *,
    cluster: str,
    taken_at: datetime | None,
    aliases: Mapping[str, str],
    standard_input: BinaryIO,
) -> pa.Table:
    """Read files into one snapshot and keep it for the next run.

    Args:
        directory: of the warehouse.
        files: see `pipelines.running`; `-` is standard input.
        cluster: where it all runs.
        taken_at: when; None for the time of the latest file, or now where that is not known.
        aliases: other names of hosts.
        standard_input: read where a file is `-`.

    Returns:
        What is kept: rows of LANDED_IN_USE.

    Raises:
        SnapshotError: a file cannot be read, or is none.
        LandingError: the snapshot cannot be kept.
    """
    now = datetime.now(UTC)
    read = ((_name_of(file), _content(file, standard_input)) for file in files)
    snapshot = snapshot_of(read, cluster, taken_at or _latest_time(files, now), now, aliases)
    keep_snapshot(directory, snapshot)
    return snapshot


def _name_of(file: Path) -> str:
    return "standard input" if file == STANDARD_INPUT else file.name


def _content(file: Path, standard_input: BinaryIO) -> bytes:
    try:
        return standard_input.read() if file == STANDARD_INPUT else file.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{file} cannot be read: {error.strerror}.") from error


def _latest_time(files: Sequence[Path], now: datetime) -> datetime:
    """When the latest of some files was written, at most now."""
    if STANDARD_INPUT in files or not all(file.is_file() for file in files):
        return now
    written = max(file.stat().st_mtime for file in files)
    return min(datetime.fromtimestamp(written, UTC), now)


def load_snapshots(con: DuckDBPyConnection, directory: Path) -> None:
    """Store in the building file what is kept; remove what the state has already.

    Raises:
        LandingError: a snapshot cannot be read.
    """
    for part in kept_parts(directory):
        snapshot = read_part(part)
        if are_stored(con, snapshot):
            remove_part(part)
        else:
            store_snapshots(con, snapshot)


def landed(settings: Settings) -> Landed:
    """What questions are to know of what runs beside what runs of ours have loaded.

    Raises:
        LandingError: a snapshot cannot be read.
    """
    return Landed(read_snapshots(settings.warehouse_dir), settings.in_use_days)
