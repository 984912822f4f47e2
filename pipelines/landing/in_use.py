"""Snapshots of what runs, on disk until a state holds them: `<snapshot id>.parquet`.

They belong to no run: people give them when they like, every run loads those that are there, and
they go once the state has them.
"""

from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from pipelines.errors import LandingError
from pipelines.landing.files import read_table, write_table, writing
from pipelines.schemas import LANDED_IN_USE


def folder_of(directory: Path) -> Path:
    """Where the snapshots of a warehouse directory are."""
    return directory / "in-use"


def keep_snapshot(directory: Path, snapshot: pa.Table) -> Path:
    """Write a snapshot, rows of LANDED_IN_USE; the same again takes its own place.

    Raises:
        LandingError: it cannot be written.
    """
    folder = folder_of(directory)
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{snapshot['snapshot_id'][0].as_py()}.parquet"
    write_table(path, snapshot)
    return path


def kept_parts(directory: Path) -> list[Path]:
    """The files of the snapshots, the earliest taken first."""
    return sorted(folder_of(directory).glob("*.parquet"))


def read_part(part: Path) -> pa.Table:
    """A snapshot as it was kept.

    Raises:
        LandingError: it cannot be read.
    """
    try:
        return read_table(part, LANDED_IN_USE)
    except LandingError as error:
        raise LandingError(
            f"{part} is unreadable: remove it, and give the snapshot again."
        ) from error


def read_snapshots(directory: Path) -> pa.Table:
    """All snapshots that are kept; raises as `read_part`."""
    parts = [LANDED_IN_USE.empty_table()]
    for part in kept_parts(directory):
        try:
            parts.append(read_part(part))
        except LandingError:
            # One that is gone is a published warehouse's: runs remove no other.
            if part.exists():
                raise
    return pa.concat_tables(parts)


def remove_part(part: Path) -> None:
    """Remove what a state holds."""
    with suppress(FileNotFoundError):
        part.unlink()
