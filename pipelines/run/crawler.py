"""Read every repository of a run and land its records: many at once, each in its reading order.

Concurrency is across repositories; the pages of one are read one after the other. A repository
that fails is logged and does not stop the others; refused credentials stop them all.
"""

import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.errors import SwrUnauthenticated
from pipelines.landing.writer import LandingWriter
from pipelines.run.clock import RunClock
from pipelines.run.discover import Discovery, largest_first
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.reading import (
    FAILED,
    KnownRepositories,
    ReadRepository,
    RepositoryReader,
)
from pipelines.run.request import Name
from pipelines.swr.client import SwrClient
from pipelines.swr.limits import Limits
from pipelines.swr.paging import CrawlOutcome
from pipelines.swr.transport import Counters


@dataclass
class Crawler:
    """Reads repositories into a landing folder."""

    client: SwrClient
    folder: LandingWriter
    known: KnownRepositories
    limits: Limits
    clock: RunClock
    progress: Progress
    log: RunLog

    def crawl(self, found: Discovery, *, done: Collection[Name], threads: int) -> bool:
        """Read what was discovered, except what is done; record an outcome for each.

        Returns:
            Whether the credentials were refused.

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
        self.progress.start(len(jobs) + len(unreachable), tags, self.folder.flush)
        for name in unreachable:
            self._record_unread(name, found.namespaces[name[0]].error, is_listed=None)
        reader = RepositoryReader(
            self.client, self.folder, self.known, self.limits, found.namespaces
        )
        pool = ThreadPoolExecutor(threads, thread_name_prefix="crawl")
        try:
            waiting = {pool.submit(self._read, reader, name, found): name for name in jobs}
            refusals = [job.result() for job in as_completed(waiting)]
        finally:
            pool.shutdown(cancel_futures=True)
        if any(refusals):
            unread = [name for job, name in waiting.items() if job.result()]
            self._give_up(unread, next(filter(None, refusals)), found, of=len(jobs))
        return any(refusals)

    def _give_up(
        self, unread: Sequence[Name], refusal: SwrUnauthenticated, found: Discovery, *, of: int
    ) -> None:
        """Record what could not be read since the credentials were refused."""
        after = f"The credentials were refused after {of - len(unread)} of {of} repositories"
        sentence = f"{after}: {refusal}"
        self.log.event("credentials refused", level=logging.WARNING, error=sentence)
        self.progress.notice(sentence)
        for name in unread:
            self._record_unread(name, sentence, is_listed=found.is_listed(name))

    def _read(
        self, reader: RepositoryReader, name: Name, found: Discovery
    ) -> SwrUnauthenticated | None:
        """Read one repository and record how it went, unless the credentials are refused."""
        started = self.clock.now()
        with self.client.transport.job() as spent:
            try:
                read = reader.read(name, found.listed.get(name))
            except SwrUnauthenticated as refusal:
                return refusal
        self._record(name, read, spent, started, is_listed=found.is_listed(name))
        return None

    def _record_unread(self, name: Name, error: str | None, *, is_listed: bool | None) -> None:
        unread = ReadRepository(FAILED, error=error)
        self._record(name, unread, Counters(), self.clock.now(), is_listed=is_listed)

    def _record(
        self,
        name: Name,
        read: ReadRepository,
        spent: Counters,
        started: datetime,
        *,
        is_listed: bool | None,
    ) -> None:
        (namespace, repository), (outcome, cause, error) = name, read
        self.folder.finish(
            {
                "namespace": namespace,
                "repository": repository,
                "status": outcome.status.value,
                "cause": cause,
                "is_listed": is_listed,
                "error": error,
                "started_at": started,
                "finished_at": self.clock.now(),
                **_traffic(spent),
                **_counts(outcome),
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


def _traffic(spent: Counters) -> dict[str, Any]:
    """What the requests for a repository cost, as columns of LANDED_CRAWLS."""
    return {
        "requests": spent.requests,
        "retries": spent.retries,
        "throttled_seconds": spent.throttled_seconds,
        "bytes": spent.bytes,
    }


def _counts(outcome: CrawlOutcome) -> dict[str, Any]:
    """What a reading found, as columns of LANDED_CRAWLS."""
    return {
        "pages": outcome.pages,
        "expected": outcome.expected,
        "received": outcome.received,
        "duplicates": outcome.duplicates,
        "attempts": outcome.walks,
        "lists_everything": outcome.lists_everything,
        "first_walk": outcome.first_walk,
    }


def _size(found: Discovery, name: Name) -> int:
    """Tags the list says a repository has."""
    record = found.listed.get(name)
    return (record.num_images or 0) if record else 0
