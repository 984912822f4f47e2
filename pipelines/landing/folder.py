"""One crawl's folder: parts of records, parts of outcomes, and `crawl.json`, written last.

    run.json             what was asked: written first, so that a dead run can be taken up
    repositories.parquet what discovery listed
    records-N.parquet    tag records, verbatim, with the walk that read them
    crawls-N.parquet     outcomes; a repository is finished when its outcome is in such a part,
                         and all its records are then in parts of the same or a lower number,
                         but not lower than the first part of the process that finished it
    crawl.json           totals: the crawl is finished

Every file appears by a rename, so that a half-written one is never read.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import LandingError

T = TypeVar("T")

_MOMENT: pa.DataType = pa.timestamp("us", tz="UTC")


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


RECORDS = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    walk=pa.int32(),
    record_key=pa.string(),
    updated_at=_MOMENT,
    fingerprint=pa.string(),
    record=pa.binary(),
)
REPOSITORIES = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    is_public=pa.bool_(),
    api_size_bytes=pa.int64(),
    api_tag_count=pa.int64(),
    download_count=pa.int64(),
    created_at=_MOMENT,
    updated_at=_MOMENT,
)
CRAWLS = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    status=pa.string(),
    requests=pa.int32(),
    retries=pa.int32(),
    throttled_seconds=pa.float64(),
    bytes=pa.int64(),
    pages=pa.int32(),
    expected=pa.int64(),
    received=pa.int64(),
    duplicates=pa.int64(),
    attempts=pa.int32(),
    error=pa.string(),
    started_at=_MOMENT,
    finished_at=_MOMENT,
    lists_everything=pa.bool_(),
    first_walk=pa.int32(),
    first_part=pa.int32(),
)
# A part is written when this many bytes of records wait, or the oldest waited this long: large
# enough to compress, small enough to keep memory flat and to lose little when a run dies.
_PART_BYTES = 16 * 2**20
_PART_SECONDS = 2.0
_CHECKED_ROWS = 1000
_NAME = ("namespace", "repository")


class Run(msgspec.Struct, frozen=True):
    """What the crawl was asked to read. `based_on` is the published run it compares with."""

    mode: str
    namespaces: tuple[str, ...]
    repositories: tuple[str, ...]
    based_on: str | None
    started_at: datetime


class Totals(msgspec.Struct, frozen=True):
    """What the finished crawl came to. Ages are computed for `as_of`."""

    as_of: datetime
    unread_namespaces: int
    failed_namespaces: int
    unread_repositories: int
    requests: int
    retries: int
    throttled_seconds: float
    bytes: int


class Record(NamedTuple):
    """A record to keep; the fields of RECORDS after the repository's name."""

    walk: int
    record_key: str
    updated_at: datetime | None
    fingerprint: str
    record: bytes


@dataclass
class _Waiting:
    """What is not on disk yet."""

    namespaces: list[str]
    repositories: list[str]
    records: list[Record]
    crawls: list[dict[str, Any]]
    size: int = 0


class Folder:
    """One crawl's folder, filled by many threads; one more writes the parts, in their order.

    Whoever adds to it goes on meanwhile, unless a second part is due by then: memory stays flat.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = _Waiting([], [], [], [])
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="landing")
        self._written: Future[None] | None = None
        self._written_at = clock()
        self.first_part = 1 + max((_number(part) for part in path.glob("*-*.parquet")), default=0)
        self._part = self.first_part

    def add(self, namespace: str, repository: str, records: Sequence[Record]) -> None:
        """Keep records of a repository that is being read."""
        with self._lock:
            self._waiting.namespaces += [namespace] * len(records)
            self._waiting.repositories += [repository] * len(records)
            self._waiting.records += records
            self._waiting.size += sum(len(record.record) for record in records)
            self._write_if_due()

    def finish(self, crawl: dict[str, Any]) -> None:
        """Keep the outcome of a repository, a row of CRAWLS; its records were all added.

        `first_part` is filled in here.
        """
        with self._lock:
            self._waiting.crawls.append(crawl | {"first_part": self.first_part})
            self._write_if_due()

    def close(self, totals: Totals) -> None:
        """Write what is waiting, then the totals that mark the crawl as finished."""
        self.flush()
        self._writer.shutdown()
        write_json(self.path / "crawl.json", totals)

    def flush(self) -> None:
        """Write what is waiting."""
        with self._lock:
            self._begin_part()
            self._await_part()

    def _write_if_due(self) -> None:
        waited = self._clock() - self._written_at
        if self._waiting.size >= _PART_BYTES or waited >= _PART_SECONDS:
            self._begin_part()

    def _begin_part(self) -> None:
        """Have a part written; none after one that failed, for it would vouch for what that held.

        Raises:
            LandingError: the part before could not be written.
        """
        self._await_part()
        waiting, self._waiting = self._waiting, _Waiting([], [], [], [])
        self._written = self._writer.submit(self._write, self._part, waiting)
        self._part += 1
        self._written_at = self._clock()

    def _await_part(self) -> None:
        if self._written:
            self._written.result()

    def _write(self, number: int, waiting: _Waiting) -> None:
        if waiting.records:
            columns = list(zip(*waiting.records, strict=True))
            arrays = [waiting.namespaces, waiting.repositories, *columns]
            table = pa.Table.from_arrays(
                [
                    pa.array(values, field.type)
                    for values, field in zip(arrays, RECORDS, strict=True)
                ],
                schema=RECORDS,
            )
            write_table(self.path / f"records-{number:06}.parquet", table)
        if waiting.crawls:
            crawls = pa.Table.from_pylist(waiting.crawls, schema=CRAWLS)
            write_table(self.path / f"crawls-{number:06}.parquet", crawls)


def read_run(path: Path) -> Run:
    """What the crawl in this folder was asked.

    Raises:
        LandingError: the file is missing or unreadable.
    """
    return _read_json(path / "run.json", Run)


def read_totals(path: Path) -> Totals:
    """What the finished crawl in this folder came to.

    Raises:
        LandingError: it is not finished.
    """
    return _read_json(path / "crawl.json", Totals)


def is_whole(path: Path) -> bool:
    """Whether this folder can be read to its end and holds all that its outcomes vouch for."""
    try:
        held = Counter(
            name
            for table in read_records(path, _CHECKED_ROWS)
            for name in zip(*(table[key].to_pylist() for key in _NAME), strict=True)
        )
        crawls = read_crawls(path).to_pylist()
    except LandingError:
        return False
    return all(
        held[row["namespace"], row["repository"]] >= row["received"]
        for row in crawls
        if row["lists_everything"]
    )


def read_repositories(path: Path) -> pa.Table:
    """What discovery listed: REPOSITORIES."""
    return _read_table(path / "repositories.parquet", REPOSITORIES)


def read_crawls(path: Path) -> pa.Table:
    """Outcomes of the finished repositories: CRAWLS, one row each, the last where retried."""
    latest = {
        (row["namespace"], row["repository"]): row
        for part in sorted(path.glob("crawls-*.parquet"))
        for row in _read_table(part, CRAWLS).to_pylist()
    }
    return pa.Table.from_pylist(list(latest.values()), schema=CRAWLS)


def read_records(path: Path, rows: int) -> Iterator[pa.Table]:
    """Records that finished repositories are to be loaded from: tables of RECORDS.

    Those of walks that proved nothing, and of repositories that were not finished, are left out.
    Each table has up to about `rows` rows, in the order they were read.
    """
    first = _first_of_each(read_crawls(path))
    for part in sorted(path.glob("records-*.parquet")):
        number = _number(part)
        for batch in _batches(part, rows):
            columns = (batch[name].to_pylist() for name in ("namespace", "repository", "walk"))
            wanted = [
                _is_wanted(number, walk, first.get((namespace, repository)))
                for namespace, repository, walk in zip(*columns, strict=True)
            ]
            table = pa.Table.from_batches([batch], RECORDS)
            yield table if all(wanted) else table.filter(pa.array(wanted, pa.bool_()))


def _is_wanted(part: int, walk: int, first: tuple[int, int] | None) -> bool:
    return first is not None and part >= first[0] and walk >= first[1]


def _first_of_each(crawls: pa.Table) -> dict[tuple[str, str], tuple[int, int]]:
    """First part and first walk to load, by repository; an earlier process's parts are not."""
    return {
        (row["namespace"], row["repository"]): (row["first_part"], row["first_walk"])
        for row in crawls.to_pylist()
    }


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that appears whole or not at all."""
    part = path.with_suffix(".part")
    with writing(path):
        pq.write_table(
            table, part, compression="zstd", compression_level=1, write_page_checksum=True
        )
        _appear(part, path)


def write_json(path: Path, value: msgspec.Struct) -> None:
    """Write a JSON file that appears whole or not at all."""
    part = path.with_suffix(".part")
    with writing(path):
        part.write_bytes(msgspec.json.format(msgspec.json.encode(value)))
        _appear(part, path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in a sentence that the disk is full, or whatever else is in the way of a file.

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


def _appear(part: Path, path: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.chmod(0o600)
    part.replace(path)


def _batches(part: Path, rows: int) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(part, page_checksum_verification=True) as file:
            yield from file.iter_batches(batch_size=rows)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(part) from error


def _read_table(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return pq.read_table(path, schema=schema, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path) from error


def _read_json(path: Path, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> LandingError:
    return LandingError(
        f"{path} is unreadable; remove the folder {path.parent} and run the ingest again"
    )


def _number(part: Path) -> int:
    return int(part.stem.rsplit("-", 1)[1])
