"""Turn landed records into the Arrow tables that the warehouse loads. Renames happen here, once.

Reads a landing folder (`landing`), decodes records (`swr.wire`) and manifests (`images`). Knows
no HTTP and no SQL. A record that cannot be used is set aside alone.
"""

from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.images.tables import ImageTables, image_tables
from pipelines.landing.folder import read_records
from pipelines.swr.wire import TagRecord, as_utc, deletion_time, read_record
from pipelines.warehouse.load import COUNTED, REJECTED, TAGS

# Small enough to keep memory flat, large enough for columns to pay: half a part of a landing.
_CHUNK_ROWS = 3500

# Warehouse column on the left, the API's name for it on the right.
_RENAMED = {
    "tag": "name",
    "tag_id": "id",
    "repo_id": "repo_id",
    "manifest_digest": "digest",
    "image_id": "image_id",
    "schema_version": "schema",
    "tag_type": "tag_type",
    "api_size_bytes": "size",
    "is_trusted": "is_trusted",
    "is_scanned": "scanned",
    "path": "path",
    "internal_path": "internal_path",
    "domain_id": "domain_id",
}
_read_columns = attrgetter(*_RENAMED.values())


class Chunk(NamedTuple):
    """Some records of a landing as rows: TAGS, COUNTED, REJECTED and the manifests' tables."""

    tags: pa.Table
    counted: pa.Table
    rejected: pa.Table
    images: ImageTables


class _Read(NamedTuple):
    """What the records of a chunk say; `tags` are rows of TAGS less the repository's name."""

    is_usable: pa.BooleanArray
    tags: list[tuple[Any, ...]]
    reasons: list[str]
    texts: list[tuple[str, str]]


def normalize(
    folder: Path, settled: Callable[[Collection[str]], Collection[str]]
) -> Iterator[Chunk]:
    """Read a landing folder as tables, a bounded chunk at a time.

    Args:
        folder: the landing.
        settled: of some manifest digests, those whose stored rows no further text can improve;
            their manifests are not read again.
    """
    for table in read_records(folder, _CHUNK_ROWS):
        yield _chunk(table, settled)


def _chunk(landed: pa.Table, settled: Callable[[Collection[str]], Collection[str]]) -> Chunk:
    read = _read(landed)
    tags = _tags(landed.filter(read.is_usable), read.tags)
    set_aside = _set_aside(landed.filter(pc.invert(read.is_usable)), read.reasons)
    known = settled({digest for digest, _ in read.texts})
    texts = (text for text in read.texts if text[0] not in known)
    return Chunk(tags, *set_aside, image_tables(texts))


def _read(landed: pa.Table) -> _Read:
    usable: list[bool] = []
    tags: list[tuple[Any, ...]] = []
    reasons: list[str] = []
    texts: dict[tuple[str, str], None] = {}
    for raw in _records(landed):
        try:
            record = read_record(raw)
            tags.append(_tag_row(record))
        except (ValueError, OverflowError) as reason:
            reasons.append(str(reason))
            usable.append(False)
        else:
            texts[record.digest, record.manifest or ""] = None
            usable.append(True)
    return _Read(pa.array(usable, pa.bool_()), tags, reasons, list(texts))


def _tag_row(record: TagRecord) -> tuple[Any, ...]:
    created = record.created and as_utc(record.created)
    return (*_read_columns(record), created, as_utc(record.updated), deletion_time(record))


def _tags(landed: pa.Table, rows: list[tuple[Any, ...]]) -> pa.Table:
    """Rows of TAGS, which begin with the repository's name."""
    names = [landed["namespace"], landed["repository"]]
    fields = TAGS.names[len(names) :]
    columns = zip(*rows, strict=True) if rows else ([] for _ in fields)
    read = [
        pa.array(values, TAGS.field(field).type)
        for values, field in zip(columns, fields, strict=True)
    ]
    return pa.Table.from_arrays([*names, *read], schema=TAGS)


def _set_aside(landed: pa.Table, reasons: list[str]) -> tuple[pa.Table, pa.Table]:
    """Rows of COUNTED and of REJECTED."""
    texts = [raw.decode("utf-8", "backslashreplace") for raw in _records(landed)]
    names = landed.select(["namespace", "repository"])
    rejected = names.append_column(REJECTED.field("reason"), pa.array(reasons, pa.string()))
    rejected = rejected.append_column(REJECTED.field("record"), pa.array(texts, pa.string()))
    return landed.select(COUNTED.names), rejected


def _records(landed: pa.Table) -> list[bytes]:
    records: list[Any] = landed["record"].to_pylist()
    return records
