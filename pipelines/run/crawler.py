"""Read every repository of a run and land its records: many at once, each in its reading order.

Concurrency is across repositories; the pages of one are read one after the other. A repository
that fails is logged and does not stop the others.
"""

import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime

from pipelines.landing.writer import LandingWriter
from pipelines.run.clock import RunClock
from pipelines.run.discover import Discovery, largest_first
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.reading import (
    FAILED,
    KnownRepositories,
    Limits,
    ReadRepository,
    RepositoryReader,
)
from pipelines.run.request import Name
from pipelines.swr.client import SwrClient
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
        self.progress.start(len(jobs) + len(unreachable), tags, self.folder.flush)
        for name in unreachable:
            failed = ReadRepository(FAILED, error=found.namespaces[name[0]].error)
            self._record(name, failed, Counters(), self.clock.now(), is_listed=None)
        reader = RepositoryReader(
            self.client, self.folder, self.known, self.limits, found.namespaces
        )
        pool = ThreadPoolExecutor(threads, thread_name_prefix="crawl")
        try:
            waiting = [pool.submit(self._read, reader, name, found) for name in jobs]
            for job in as_completed(waiting):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _read(self, reader: RepositoryReader, name: Name, found: Discovery) -> None:
        """Read one repository and record how it went."""
        started = self.clock.now()
        spent = self.client.transport.start_counting()
        read = reader.read(name, found.listed.get(name))
        self._record(name, read, spent, started, is_listed=found.is_listed(name))

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
                "finished_at": self.clock.now(),
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


def _size(found: Discovery, name: Name) -> int:
    """Tags the list says a repository has."""
    record = found.listed.get(name)
    return (record.num_images or 0) if record else 0
