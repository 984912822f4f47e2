"""Turn landed records into the Arrow tables that the warehouse loads. Renames happen here, once.

Reads a landing folder (`landing`), decodes records (`swr.wire`) and manifests (`images`). Knows
no HTTP and no SQL. A record that cannot be used is set aside alone.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.images.tables import ImageTables, image_tables, joined_tables
from pipelines.images.text_choice import TextChoice
from pipelines.landing.reader import read_pages
from pipelines.landing.writer import LandedPage
from pipelines.schemas import COUNTED, REJECTED, TAGS
from pipelines.swr.json_parts import LARGEST_TEXT, array_elements
from pipelines.swr.wire import (
    TagRecord,
    as_utc,
    deletion_time,
    is_too_large,
    listed_record,
    pull_time,
    read_page,
    read_record,
)

# So many records at a time are Python objects, which then stay in the processor's cache: that
# takes a third less time than some thousands do.
_BATCH_RECORDS = 500
# As tables they take a fraction of the memory, and the warehouse stores large chunks for much less.
_CHUNK_RECORDS = 14_000
# A single record may have megabytes, and what is made of it takes ten times as much.
_CHUNK_BYTES = 64 * 2**20
# Of a record that is too large so much is kept here; all of it is in the registry.
_KEPT_BYTES = 2**20

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
_READ = {column: attrgetter(field) for column, field in _RENAMED.items()}
_Final = Callable[[Collection[str]], Collection[str]]


class Chunk(NamedTuple):
    """Some records of a landing as rows: TAGS, COUNTED, REJECTED and the manifests' tables."""

    tags: pa.Table
    counted: pa.Table
    rejected: pa.Table
    images: ImageTables


class _Page(NamedTuple):
    """The records to load of a page, and its rows of COUNTED and of REJECTED."""

    landed: LandedPage
    records: list[TagRecord]
    counted: list[dict[str, Any]]
    rejected: list[dict[str, Any]]


def normalize(folder: Path, final: _Final) -> Iterator[Chunk]:
    """Read a landing folder as tables, a bounded chunk at a time.

    Args:
        folder: the landing.
        final: of some manifest digests, those whose stored rows no further text can improve;
            their manifests are not read again.
    """
    pages = chain.from_iterable(map(_pieces, read_pages(folder)))
    # Keeps none of what it gave while it makes the next.
    yield from iter(lambda: _chunk(_next(pages), final), None)


def _pieces(page: LandedPage) -> Iterator[LandedPage]:
    """A large page record by record, so that no chunk has to hold all of it."""
    if len(page.body) <= LARGEST_TEXT:
        yield page
        return
    texts = dict(enumerate(array_elements(page.body)))
    kept = [*texts] if page.kept is None else page.kept
    page = page._replace(record_count=1, kept=None, body=b"")  # no longer held whole
    for place in kept:
        yield page._replace(body=b"[%b]" % texts.pop(place))


def _next(pages: Iterator[LandedPage]) -> Iterator[LandedPage]:
    """The pages of one chunk."""
    count = size = 0
    for page in pages:
        yield page
        count += page.record_count
        size += len(page.body)
        if count >= _CHUNK_RECORDS or size > _CHUNK_BYTES:
            return


def _chunk(pages: Iterator[LandedPage], final: _Final) -> Chunk | None:
    """Read pages as one chunk; None if there is no page."""
    rows = []
    texts: deque[tuple[str, str]] = deque()
    while batch := _batch(pages):
        records = [record for page in batch for record in page.records]
        rows.append((_tags(batch, records), *_set_aside(batch)))
        texts.extend((record.digest, record.manifest or "") for record in records)
        del batch, records
    if not rows:
        return None
    images = list(_images(texts, TextChoice(final({digest for digest, _ in texts}))))
    tags, counted, rejected = _joined(rows)
    return Chunk(tags, counted, rejected, joined_tables(images))


def _batch(pages: Iterator[LandedPage]) -> list[_Page]:
    """Read some pages."""
    batch: list[_Page] = []
    count = 0
    while count < _BATCH_RECORDS and (landed := next(pages, None)):
        batch.append(_read(landed))
        count += landed.record_count
    return batch


def _read(landed: LandedPage) -> _Page:
    records = read_page(landed.body)
    if records is None:
        return _read_one_by_one(landed)
    kept = records if landed.kept is None else [records[place] for place in landed.kept]
    return _Page(landed, kept, [], [])


def _read_one_by_one(landed: LandedPage) -> _Page:
    """Read a page of which a record is odd: one that cannot be used is set aside."""
    page = _Page(landed, [], [], [])
    texts = array_elements(landed.body)
    names = {"namespace": landed.namespace, "repository": landed.repository}
    for place in range(len(texts)) if landed.kept is None else landed.kept:
        raw = texts[place]
        try:
            record = read_record(raw)
            _dates(record)
        except (ValueError, OverflowError) as reason:
            key, (updated, fingerprint) = listed_record(raw)
            page.counted.append(
                {**names, "record_key": key, "fingerprint": fingerprint, "updated_at": updated}
            )
            kept = raw[:_KEPT_BYTES] if is_too_large(raw) else raw
            text = kept.decode("utf-8", "backslashreplace")
            page.rejected.append({**names, "reason": str(reason), "record": text})
        else:
            page.records.append(record)
    return page


def _images(texts: deque[tuple[str, str]], choice: TextChoice) -> Iterator[ImageTables]:
    """Read the manifests of a chunk, some at a time; each digest once. Keeps no text twice."""
    while texts:
        some = [texts.popleft() for _ in range(min(len(texts), _BATCH_RECORDS))]
        plain = choice.choose_plain(some)
        yield plain.tables
        yield image_tables(choice.choose(plain.others))
    yield image_tables(choice.undecided())


def _joined(parts: Iterable[Iterable[pa.Table]]) -> Iterator[pa.Table]:
    """Join the first tables of all parts, the second, and so on."""
    return map(pa.concat_tables, zip(*parts, strict=True))


def _tags(batch: Sequence[_Page], records: Sequence[TagRecord]) -> pa.Table:
    """Rows of TAGS."""
    created, updated, deleted = zip(*map(_dates, records), strict=True) if records else ((),) * 3
    columns: dict[str, Iterable[Any]] = {
        "namespace": _repeated(batch, [page.landed.namespace for page in batch]),
        "repository": _repeated(batch, [page.landed.repository for page in batch]),
        "created_at": created,
        "updated_at": updated,
        "pulled_at": list(map(pull_time, records)),
        "api_deleted_at": deleted,
        "unreadable_fields": [",".join(record.unreadable) or None for record in records],
    }
    columns |= {column: list(map(read, records)) for column, read in _READ.items()}
    arrays = [pa.array(columns[field.name], field.type) for field in TAGS]
    return pa.Table.from_arrays(arrays, schema=TAGS)


def _repeated(batch: Sequence[_Page], names: Sequence[str]) -> list[str]:
    """A name of each page for each of its records."""
    pairs = zip(names, batch, strict=True)
    return list(chain.from_iterable([name] * len(page.records) for name, page in pairs))


def _dates(record: TagRecord) -> tuple[Any, ...]:
    created = record.created and as_utc(record.created)
    return created, as_utc(record.updated), deletion_time(record)


def _set_aside(batch: Sequence[_Page]) -> tuple[pa.Table, pa.Table]:
    """Rows of COUNTED and of REJECTED."""
    counted = [row for page in batch for row in page.counted]
    rejected = [row for page in batch for row in page.rejected]
    return (
        pa.Table.from_pylist(counted, schema=COUNTED),
        pa.Table.from_pylist(rejected, schema=REJECTED),
    )
