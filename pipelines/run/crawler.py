"""Read every repository of a run and land its records: many at once, each in its reading order.

Concurrency is across repositories; the pages of one are read one after the other. A repository
that fails is logged and does not stop the others.
"""

import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pipelines.errors import SwrError, SwrNotFound, SwrRefused
from pipelines.landing.writer import LandedRecord, LandingWriter
from pipelines.run.discover import Discovery, largest_first
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.request import Name
from pipelines.swr.client import SwrClient
from pipelines.swr.paging import (
    ACCEPTED_LIMIT,
    MAXIMUM_LIMIT,
    CrawlOutcome,
    CrawlStatus,
    KnownRecords,
    ListedRecord,
    PageRequest,
    Reading,
    read_repository,
)
from pipelines.swr.transport import Counters


class KnownRepositories(Protocol):
    """What earlier runs proved, to compare with."""

    def get(self, name: Name) -> KnownRecords | None:
        """What is known of a repository; None if it has to be read whole."""


@dataclass
class Limits:
    """Page sizes the endpoint accepts; lowered for all when it refuses one."""

    page_size: int
    maximum: int = MAXIMUM_LIMIT

    def lower(self) -> None:
        """Fall back to what every endpoint accepts."""
        self.page_size = min(self.page_size, ACCEPTED_LIMIT)
        self.maximum = ACCEPTED_LIMIT


@dataclass
class Crawler:
    """Reads repositories into a landing folder."""

    client: SwrClient
    folder: LandingWriter
    known: KnownRepositories
    limits: Limits
    progress: Progress
    log: RunLog

    def crawl(self, found: Discovery, *, done: Collection[Name], threads: int) -> None:
        """Read what was discovered, except what is done; record an outcome for each.

        Args:
            found: what to read, to ask after, and what could not be listed.
            done: repositories a dead run had finished.
            threads: repositories read at the same time.
        """
        jobs = [
            name for name in [*largest_first(found.listed), *found.unlisted] if name not in done
        ]
        unreachable = [name for name in found.unreachable if name not in done]
        tags = sum(_size(found, name) for name in jobs)
        self.progress.start(len(jobs) + len(unreachable), tags)
        for name in unreachable:
            error = found.namespaces[name[0]].error
            self._record(name, None, _FAILED, error, Counters(), started=datetime.now(UTC))
        pool = ThreadPoolExecutor(threads, thread_name_prefix="crawl")
        try:
            waiting = [
                pool.submit(self._read, name, is_listed=found.is_listed(name)) for name in jobs
            ]
            for job in as_completed(waiting):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _read(self, name: Name, *, is_listed: bool | None) -> None:
        """Read one repository and record how it went, whatever the registry does."""
        started = datetime.now(UTC)
        spent = self.client.transport.start_counting()
        error: str | None = None
        try:
            outcome = self._read_or_miss(name, is_listed=bool(is_listed))
        except SwrError as failure:
            outcome, error = _FAILED, str(failure)
        if outcome.status is CrawlStatus.INCOMPLETE:
            error = (
                f"the list kept changing or contradicting itself: {outcome.received} records read,"
                f" {outcome.expected if outcome.expected is not None else 'unknown'} expected"
            )
        self._record(name, is_listed, outcome, error, spent, started=started)

    def _read_or_miss(self, name: Name, *, is_listed: bool) -> CrawlOutcome:
        """Read a repository; it is missing only if it says so when asked for by name."""
        if not is_listed and not self.client.has_repository(*name):
            return _MISSING
        try:
            return self._read_tags(name)
        except SwrNotFound:
            if self.client.has_repository(*name):
                raise
            return _MISSING

    def _read_tags(self, name: Name) -> CrawlOutcome:
        """Ask for pages in the reading order."""

        def land(walk: int, records: Sequence[ListedRecord]) -> None:
            self.folder.add(*name, [_to_land(walk, record) for record in records])

        limits = self.limits
        known = self.known.get(name)
        reading = read_repository(limits.page_size, known, land, limits.maximum)
        try:
            request = next(reading)
            while True:
                request = self._ask(name, request, reading)
        except StopIteration as end:
            outcome: CrawlOutcome = end.value
            return outcome

    def _ask(self, name: Name, request: PageRequest, reading: Reading) -> PageRequest:
        """Answer one request of the reading; what it wants next."""
        try:
            page = self.client.tag_page(*name, request)
        except SwrRefused as refusal:
            # What was never sent says nothing of page sizes.
            if request.limit <= ACCEPTED_LIMIT or refusal.status is None:
                raise
            self.limits.lower()
            return reading.throw(refusal)
        return reading.send(page)

    def _record(
        self,
        name: Name,
        is_listed: bool | None,  # noqa: FBT001 - a fact to record
        outcome: CrawlOutcome,
        error: str | None,
        spent: Counters,
        *,
        started: datetime,
    ) -> None:
        namespace, repository = name
        self.folder.finish(
            {
                "namespace": namespace,
                "repository": repository,
                "status": outcome.status.value,
                "requests": spent.requests,
                "retries": spent.retries,
                "throttled_seconds": spent.throttled_seconds,
                "bytes": spent.bytes,
                "pages": outcome.pages,
                "expected": outcome.expected,
                "received": outcome.received,
                "duplicates": outcome.duplicates,
                "attempts": outcome.walks,
                "is_listed": is_listed,
                "error": error,
                "started_at": started,
                "finished_at": datetime.now(UTC),
                "lists_everything": outcome.lists_everything,
                "first_walk": outcome.first_walk,
            }
        )
        self.log.event(
            "repository finished",
            level=logging.WARNING if error else logging.INFO,
            namespace=namespace,
            repository=repository,
            status=outcome.status.value,
            requests=spent.requests,
            tags=outcome.received,
            error=error,
        )
        self.progress.finished(name, outcome, error)


def _unread(status: CrawlStatus, *, lists_everything: bool) -> CrawlOutcome:
    return CrawlOutcome(
        status=status,
        first_walk=0,
        lists_everything=lists_everything,
        walks=0,
        pages=0,
        expected=None,
        received=0,
        duplicates=0,
    )


_FAILED = _unread(CrawlStatus.FAILED, lists_everything=False)
_MISSING = _unread(CrawlStatus.MISSING, lists_everything=True)


def _to_land(walk: int, record: ListedRecord) -> LandedRecord:
    return LandedRecord(
        walk, record.key, record.version.updated, record.version.fingerprint, record.raw
    )


def _size(found: Discovery, name: Name) -> int:
    """Tags the list says a repository has."""
    record = found.listed.get(name)
    return (record.num_images or 0) if record else 0
