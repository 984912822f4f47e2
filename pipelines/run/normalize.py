"""Turn landed records into the Arrow tables that the warehouse loads. Renames happen here, once.

Reads a landing folder (`landing`), decodes records (`swr.wire`) and manifests (`images`). Knows
no HTTP and no SQL. A record that cannot be used is set aside alone.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.images.tables import ImageTables, image_tables
from pipelines.images.text_choice import TextChoice
from pipelines.landing.reader import read_records
from pipelines.schemas import COUNTED, PLATFORMS, REJECTED, TAGS
from pipelines.swr.wire import TagRecord, as_utc, deletion_time, read_record

# So many records at a time are Python objects, which then stay in the processor's cache: that
# takes a third less time than some thousands do.
_BATCH_ROWS = 500
# As tables they take a fraction of the memory, and the warehouse stores large chunks for much less.
_CHUNK_BATCHES = 28
# A single record may have megabytes.
_CHUNK_BYTES = 128 * 2**20

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
_NO_PLATFORMS = PLATFORMS.empty_table()
_read_columns = attrgetter(*_RENAMED.values())


class Chunk(NamedTuple):
    """Some records of a landing as rows: TAGS, COUNTED, REJECTED and the manifests' tables."""

    tags: pa.Table
    counted: pa.Table
    rejected: pa.Table
    images: ImageTables


class _Batch(NamedTuple):
    """Some records as rows: TAGS, COUNTED and REJECTED; and their manifests."""

    tags: pa.Table
    counted: pa.Table
    rejected: pa.Table
    texts: list[tuple[str, str]]


def normalize(folder: Path, final: Callable[[Collection[str]], Collection[str]]) -> Iterator[Chunk]:
    """Read a landing folder as tables, a bounded chunk at a time.

    Args:
        folder: the landing.
        final: of some manifest digests, those whose stored rows no further text can improve;
            their manifests are not read again.
    """
    landed = read_records(folder, _BATCH_ROWS)
    # Keeps none of what it gave while it makes the next.
    yield from iter(lambda: _chunk(_next(landed), final), None)


def _next(landed: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables of one chunk."""
    size = 0
    for table in islice(landed, _CHUNK_BATCHES):
        yield table
        size += table.nbytes
        if size > _CHUNK_BYTES:
            return


def _chunk(
    landed: Iterable[pa.Table], final: Callable[[Collection[str]], Collection[str]]
) -> Chunk | None:
    """Read tables of records as one chunk; None if there is no table."""
    waiting = deque(landed)
    if not waiting:
        return None
    choice = TextChoice(final(_digests(waiting)))
    rows, images = [], []
    while waiting:
        *tables, texts = _batch(waiting.popleft())
        rows.append(tables)
        plain = choice.choose_plain(texts)
        images.append(ImageTables(plain.manifests, plain.layers, _NO_PLATFORMS))
        images.append(image_tables(choice.choose(plain.others)))
    images.append(image_tables(choice.undecided()))
    tags, counted, rejected = _joined(rows)
    return Chunk(tags, counted, rejected, ImageTables(*_joined(images)))


def _digests(landed: Iterable[pa.Table]) -> list[str]:
    """The digests of live tags' manifests, which their records' fingerprints are."""
    digests: list[Any] = pc.unique(pa.concat_tables(landed)["fingerprint"]).to_pylist()
    return digests


def _joined(parts: Iterable[Iterable[pa.Table]]) -> Iterator[pa.Table]:
    """Join the first tables of all parts, the second, and so on."""
    return map(pa.concat_tables, zip(*parts, strict=True))


def _batch(landed: pa.Table) -> _Batch:
    """Read some records."""
    usable: list[bool] = []
    tags: list[tuple[Any, ...]] = []
    texts: list[tuple[str, str]] = []
    reasons: list[str] = []
    for raw in _records(landed):
        try:
            record = read_record(raw)
            tags.append(_tag_row(record))
        except (ValueError, OverflowError) as reason:
            reasons.append(str(reason))
            usable.append(False)
        else:
            texts.append((record.digest, record.manifest or ""))
            usable.append(True)
    is_usable = pa.array(usable, pa.bool_())
    names = landed.select(["namespace", "repository"])
    set_aside = _set_aside(landed.filter(pc.invert(is_usable)), reasons)
    return _Batch(_tags(names.filter(is_usable), tags), *set_aside, texts)


def _tag_row(record: TagRecord) -> tuple[Any, ...]:
    created = record.created and as_utc(record.created)
    unreadable = ",".join(record.unreadable) or None
    dates = created, as_utc(record.updated), deletion_time(record)
    return (*_read_columns(record), *dates, unreadable)


def _tags(names: pa.Table, rows: list[tuple[Any, ...]]) -> pa.Table:
    """Rows of TAGS, which begin with the repository's name."""
    fields = TAGS.names[names.num_columns :]
    columns = zip(*rows, strict=True) if rows else ([] for _ in fields)
    read = [
        pa.array(values, TAGS.field(field).type)
        for values, field in zip(columns, fields, strict=True)
    ]
    return pa.Table.from_arrays([*names.columns, *read], schema=TAGS)


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
