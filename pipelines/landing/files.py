"""Files that appear whole or not at all, and errors that name the file and what to do.

What the files hold is described in `writer`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import LandingError

T = TypeVar("T")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that appears whole or not at all."""
    with _part_of(path) as part:
        pq.write_table(
            table,
            part,
            compression="zstd",
            compression_level=1,
            write_page_checksum=True,
            # Neither is of use for packed pages.
            use_dictionary=False,
            write_statistics=False,
        )


def write_json(path: Path, value: msgspec.Struct) -> None:
    """Write a JSON file that appears whole or not at all."""
    with _part_of(path) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(value)))


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """Give a file to write, which is renamed at the end; nothing of it stays if that fails."""
    part = path.with_suffix(".part")
    with writing(path):
        try:
            yield part
            _rename_into_place(part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk, or whatever else keeps a file from being written, into one sentence.

    Raises:
        LandingError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise LandingError(
            f"{path} cannot be written ({error.strerror or error}), so nothing was published: free"
            " some space, or set SWR_WAREHOUSE_DIR to another directory; the next ingest goes on"
            " from what was landed."
        ) from error


def _rename_into_place(part: Path, path: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.chmod(0o600)
    part.replace(path)


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a Parquet file whole.

    Raises:
        LandingError: it is unreadable.
    """
    try:
        return pq.read_table(path, schema=schema, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path) from error


def read_json(path: Path, shape: type[T]) -> T:
    """Read a JSON file.

    Raises:
        LandingError: it is missing or unreadable.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> LandingError:
    return LandingError(
        f"{path} is unreadable; remove the folder {path.parent} and run the ingest again"
    )
