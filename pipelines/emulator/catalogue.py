"""Catalogues: files of tag records, one JSON object a line, as the tags API returns them.

Plain or gzipped. Read into a registry; what the records hold is not judged here.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipelines.emulator.registry import Registry
from pipelines.errors import CatalogueError


def read_catalogues(files: Iterable[Path]) -> Registry:
    """Read files of tag records into one registry; of two records for a tag the later stays.

    Raises:
        CatalogueError: a file cannot be read; names it and the line.
    """
    registry = Registry()
    for file in files:
        for number, line in enumerate(_lines(file), start=1):
            if not line.strip():
                continue
            try:
                registry.add_record(_record(line))
            except (ValueError, RecursionError) as error:
                raise CatalogueError(f"{file}, line {number}: {error}.") from None
    return registry


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CatalogueError(f"{file} cannot be read: {reason}.") from None


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} (column {error.colno})") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - a fault of the file
    return record
