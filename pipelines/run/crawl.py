"""The first step of a run: discover repositories, crawl their tags, land every record.

Takes up the landing of a run that died, if it fits. Reading one repository is the `crawler`'s work.
"""

import logging
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from pipelines.errors import NothingRead
from pipelines.landing import writer as landing
from pipelines.landing.files import write_table
from pipelines.landing.reader import read_crawls
from pipelines.landing.zone import open_landing
from pipelines.run.crawler import Crawler, Limits
from pipelines.run.discover import Discovery, ListStatus, discover
from pipelines.run.known import NoRepositories, StoredRepositories
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.request import Name, RunRequest
from pipelines.schemas import NAMESPACES, REPOSITORIES
from pipelines.settings import Settings
from pipelines.swr.client import client_from
from pipelines.swr.transport import Transport
from pipelines.swr.wire import as_utc
from pipelines.warehouse.restore import ensure_state

UNPROVEN = ("failed", "incomplete")


@dataclass(frozen=True)
class CrawlSummary:
    """How the reading of the registry went: a row of LANDED_CRAWLS each, and the totals."""

    crawls: pa.Table
    totals: landing.CrawlTotals
    visible_namespaces: list[str]
    failed_namespaces: dict[str, str]

    @property
    def is_complete(self) -> bool:
        """Whether every repository in scope was proven."""
        return not self.failed_namespaces and not self.count(*UNPROVEN)

    def count(self, *statuses: str) -> int:
        """Repositories with one of these statuses."""
        return sum(status in statuses for status in self.crawls["status"].to_pylist())


def crawl_registry(settings: Settings, request: RunRequest, progress: Progress) -> CrawlSummary:
    """Discover, crawl and land; take up the landing of a dead run if it fits.

    Raises:
        StateMissing: what was published has lost the state it was made from.
        SettingsError: something to talk to SWR with is missing, or the scope names nothing known.
        SwrError: the namespaces could not be listed.
        NothingRead: no repository could be read.
    """
    ensure_state(settings.warehouse_dir)
    as_of = datetime.now(UTC)
    log = RunLog(request.run_id)
    log.event("run started", mode=request.mode, scope=request.scope.as_dict())
    with (
        Transport(settings) as transport,
        closing(StoredRepositories(settings.warehouse_dir)) as published,
    ):
        client = client_from(settings, transport)
        found = discover(client, request.scope, published.names(), threads=settings.concurrency)
        folder = _open_landing(settings, request, published, as_of)
        write_table(folder.path / "namespaces.parquet", _namespaces(found))
        write_table(folder.path / "repositories.parquet", _repositories(found))
        crawler = Crawler(
            client=client,
            folder=folder,
            known=NoRepositories() if request.full else published,
            limits=Limits(settings.page_size),
            progress=progress,
            log=log,
        )
        crawler.crawl(found, done=_done(folder.path), threads=settings.concurrency)
        totals = _totals(found, transport, as_of)
        folder.close(totals)
    crawls = read_crawls(folder.path)
    summary = CrawlSummary(crawls, totals, list(found.namespaces), found.failed_namespaces)
    _log_landed(log, summary)
    _raise_if_nothing_read(summary)
    return summary


def _open_landing(
    settings: Settings, request: RunRequest, published: StoredRepositories, now: datetime
) -> landing.LandingWriter:
    asked = landing.CrawlRequest(
        mode=request.mode,
        namespaces=request.scope.namespaces,
        repositories=request.scope.repositories,
        based_on=published.last_run(),
        started_at=now,
    )
    return open_landing(
        landing_zone(settings),
        request.run_id,
        asked,
        published=published.runs(),
        max_age=timedelta(hours=settings.landing_max_age_hours),
        now=now,
        clock=time.monotonic,
    )


def landing_zone(settings: Settings) -> Path:
    """Where the landings of all runs are."""
    return settings.warehouse_dir / "landing"


def _done(path: Path) -> set[Name]:
    """Repositories that a dead run finished; those that failed are tried again."""
    return {
        (row["namespace"], row["repository"])
        for row in read_crawls(path).to_pylist()
        if row["status"] != "failed"
    }


def _namespaces(found: Discovery) -> pa.Table:
    """The visible namespaces as rows of NAMESPACES."""
    rows = [
        {
            "namespace": namespace,
            "list_status": listing.status.value,
            "unreadable_repositories": listing.unreadable,
            "error": listing.error,
        }
        for namespace, listing in found.namespaces.items()
    ]
    return pa.Table.from_pylist(rows, schema=NAMESPACES)


def _repositories(found: Discovery) -> pa.Table:
    """The listed repositories, in scope or not, as rows of REPOSITORIES."""
    rows = [
        {
            "namespace": namespace,
            "repository": repository,
            "is_public": record.is_public,
            "api_size_bytes": record.size,
            "api_tag_count": record.num_images,
            "download_count": record.num_download,
            "created_at": record.created_at and as_utc(record.created_at),
            "updated_at": record.updated_at and as_utc(record.updated_at),
        }
        for (namespace, repository), record in (found.listed | found.outside).items()
    ]
    return pa.Table.from_pylist(rows, schema=REPOSITORIES)


def _totals(found: Discovery, transport: Transport, as_of: datetime) -> landing.CrawlTotals:
    counters = transport.counters
    return landing.CrawlTotals(
        as_of=as_of,
        unread_namespaces=found.count(ListStatus.NOT_ASKED, ListStatus.FAILED),
        failed_namespaces=len(found.failed_namespaces),
        unread_repositories=found.unread_repositories,
        requests=counters.requests,
        retries=counters.retries,
        throttled_seconds=counters.throttled_seconds,
        bytes=counters.bytes,
    )


def _log_landed(log: RunLog, summary: CrawlSummary) -> None:
    for namespace, error in summary.failed_namespaces.items():
        log.event("namespace not listed", level=logging.WARNING, namespace=namespace, error=error)
    totals = summary.totals
    log.event(
        "run landed",
        repositories=Counter(summary.crawls["status"].to_pylist()),
        tags=sum(row["received"] for row in summary.crawls.to_pylist()),
        requests=totals.requests,
        retries=totals.retries,
        throttled_seconds=totals.throttled_seconds,
        bytes=totals.bytes,
    )


def _raise_if_nothing_read(summary: CrawlSummary) -> None:
    """Refuse to go on from a run in which everything failed."""
    if summary.is_complete or summary.count("complete", "unchanged", "incomplete", "missing"):
        return
    errors = [*summary.failed_namespaces.values(), *summary.crawls["error"].to_pylist()]
    raise NothingRead(f"Nothing could be read, so nothing is published. First error: {errors[0]}")
