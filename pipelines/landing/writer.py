"""One crawl's folder: parts of records, parts of outcomes, and `crawl.json`, written last.

    run.json             what was asked: written first, so that a dead run's crawl can be resumed
    namespaces.parquet   what discovery saw, and how listing each went
    repositories.parquet what discovery listed
    service_figures.parquet  what the service says of the account
    retention_rules.parquet, retention_log.parquet  rules and what they deleted, where read
    pages-N.parquet      pages of tag records, verbatim, with the walk that read them
    crawls-N.parquet     outcomes; a repository is finished when its outcome is in such a part,
                         and all its pages are then in parts of the same or a lower number,
                         but not lower than the first part of the process that finished it
    crawl.json           totals: the crawl is finished
    refused              a blocking check found that it cannot be published (`zone`)

Every file appears by a rename (`files`), so a half-written one is never read.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from pipelines.landing.files import write_json, write_table
from pipelines.schemas import LANDED_CRAWLS, PAGES

# A part is written when this many packed bytes of pages wait, or the oldest waited this long:
# small enough to bound memory and what is lost when a run dies.
_PART_BYTES = 2 * 2**20
_PART_SECONDS = 2.0
# Ten to one, at more than a gigabyte a second.
CODEC = pa.Codec("zstd", compression_level=1)


class CrawlRequest(msgspec.Struct, frozen=True):
    """What the crawl was asked to read, and of which registry.

    `based_on` is the published run it compares with; `registry` the registry's short name,
    `endpoint` its host and `domain` its account, None while unknown.
    """

    mode: str
    namespaces: tuple[str, ...]
    repositories: tuple[str, ...]
    based_on: str | None
    started_at: datetime
    registry: str = ""
    endpoint: str = ""
    region: str | None = None
    domain: str | None = None


class CrawlTotals(msgspec.Struct, frozen=True):
    """What the finished crawl came to. Ages are computed for `as_of`."""

    as_of: datetime
    unread_namespaces: int
    failed_namespaces: int
    unread_repositories: int
    requests: int
    retries: int
    throttled_seconds: float
    bytes: int
    clock_set_back_seconds: float | None = None
    clock_offset_seconds: float | None = None


class LandedPage(NamedTuple):
    """A page to land or to load: a row of PAGES, its `body` unpacked."""

    namespace: str
    repository: str
    walk: int
    record_count: int
    kept: Sequence[int] | None
    body: bytes


@dataclass
class _Pending:
    """What is not on disk yet."""

    pages: list[dict[str, Any]]
    crawls: list[dict[str, Any]]
    size: int = 0


class LandingWriter:
    """One crawl's folder, filled by many threads; a thread of its own writes the parts in order.

    Adding blocks only while a second part is due before the first is written: memory is bounded.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._pending = _Pending([], [])
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="landing")
        self._written: Future[None] | None = None
        self._written_at = clock()
        self.first_part = 1 + max(
            (part_number(part) for part in path.glob("*-*.parquet")), default=0
        )
        self._part = self.first_part

    def add(self, page: LandedPage) -> None:
        """Add a page of a repository that is being read."""
        # Here, for what waits is small then, and threads do it side by side.
        frame = CODEC.compress(page.body, asbytes=True)
        row = page._asdict() | {"page_bytes": len(page.body), "page": frame}
        with self._lock:
            self._pending.pages.append(row)
            self._pending.size += len(frame)
            self._write_if_due()

    def finish(self, crawl: dict[str, Any]) -> None:
        """Add the outcome of a repository, a row of LANDED_CRAWLS, after all its pages.

        `first_part` is filled in here.
        """
        with self._lock:
            self._pending.crawls.append(crawl | {"first_part": self.first_part})
            self._write_if_due()

    def close(self, totals: CrawlTotals) -> None:
        """Write what is waiting, then the totals that mark the crawl as finished."""
        self.flush()
        self._writer.shutdown()
        write_json(self.path / "crawl.json", totals)

    def flush(self) -> None:
        """Write what is waiting, if anything is."""
        with self._lock:
            if self._pending.pages or self._pending.crawls:
                self._start_part()
            self._wait_for_part()

    def _write_if_due(self) -> None:
        waited = self._clock() - self._written_at
        if self._pending.size >= _PART_BYTES or waited >= _PART_SECONDS:
            self._start_part()

    def _start_part(self) -> None:
        """Have a part written. None is after one that failed: outcomes in it would miss pages.

        Raises:
            LandingError: the part before could not be written.
        """
        self._wait_for_part()
        waiting, self._pending = self._pending, _Pending([], [])
        self._written = self._writer.submit(self._write, self._part, waiting)
        self._part += 1
        self._written_at = self._clock()

    def _wait_for_part(self) -> None:
        if self._written:
            self._written.result()

    def _write(self, number: int, waiting: _Pending) -> None:
        if waiting.pages:
            pages = pa.Table.from_pylist(waiting.pages, schema=PAGES)
            write_table(self.path / f"pages-{number:06}.parquet", pages)
        if waiting.crawls:
            crawls = pa.Table.from_pylist(waiting.crawls, schema=LANDED_CRAWLS)
            write_table(self.path / f"crawls-{number:06}.parquet", crawls)


def part_number(part: Path) -> int:
    """The N of `pages-N.parquet`."""
    return int(part.stem.rsplit("-", 1)[1])
