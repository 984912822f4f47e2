"""Turn landed records into the Arrow tables that the warehouse loads. Renames happen here, once.

Reads a landing folder (`landing`), decodes records (`swr.wire`) and manifests (`images`). Knows
no HTTP and no SQL. A record that cannot be used is set aside alone.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.images.tables import ImageTables, image_tables
from pipelines.landing.folder import read_records
from pipelines.swr.wire import TagRecord, as_utc, deletion_time, read_record
from pipelines.warehouse.load import COUNTED, REJECTED, TAGS

# Small enough to keep memory flat, large enough for columns to pay.
_CHUNK_ROWS = 5000

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


@dataclass
class _Rows:
    """Rows of one chunk while it is read."""

    tags: list[tuple[Any, ...]] = field(default_factory=list)
    counted: list[tuple[Any, ...]] = field(default_factory=list)
    rejected: list[tuple[Any, ...]] = field(default_factory=list)
    texts: dict[tuple[str, str], None] = field(default_factory=dict)


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


def _chunk(table: pa.Table, settled: Callable[[Collection[str]], Collection[str]]) -> Chunk:
    rows = _Rows()
    for landed in zip(*(column.to_pylist() for column in table.columns), strict=True):
        _sort_in(landed, rows)
    known = settled({digest for digest, _ in rows.texts})
    texts = [(digest, text) for digest, text in rows.texts if digest not in known]
    return Chunk(
        _table(rows.tags, TAGS),
        _table(rows.counted, COUNTED),
        _table(rows.rejected, REJECTED),
        image_tables(texts),
    )


def _sort_in(landed: tuple[Any, ...], rows: _Rows) -> None:
    """Put one landed record where it belongs: among the tags, or set aside with the reason."""
    namespace, repository, _, key, updated, fingerprint, raw = landed
    try:
        record = read_record(raw)
        rows.tags.append((namespace, repository, *_tag_row(record)))
    except (ValueError, OverflowError) as reason:
        rows.counted.append((namespace, repository, key, fingerprint, updated))
        text = raw.decode("utf-8", "backslashreplace")
        rows.rejected.append((namespace, repository, str(reason), text))
    else:
        rows.texts[record.digest, record.manifest or ""] = None


def _tag_row(record: TagRecord) -> tuple[Any, ...]:
    created = record.created and as_utc(record.created)
    return (*_read_columns(record), created, as_utc(record.updated), deletion_time(record))


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(values, column.type) for values, column in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
