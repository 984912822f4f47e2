"""The steps of a run, in order: read the registry, load what was read; the rest is `warehouse`'s.

What Dagster's assets call, without Dagster. Each step finds what the one before left on disk.
"""

import logging
import time
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa

from pipelines.errors import NothingRead, WarehouseShortOfMemory
from pipelines.landing import writer as landing
from pipelines.landing.files import write_table
from pipelines.landing.reader import read_crawls, read_repositories, read_run, read_totals
from pipelines.landing.zone import open_landing
from pipelines.run.crawl import Crawler, Limits, Progress
from pipelines.run.discover import Discovery, Name, Scope, discover
from pipelines.run.known import NoRepositories, StoredRepositories
from pipelines.run.log import RunLog
from pipelines.run.normalize import normalize
from pipelines.schemas import CRAWLS, REPOSITORIES
from pipelines.settings import Settings, read_settings
from pipelines.swr.client import client_from
from pipelines.swr.transport import Transport
from pipelines.swr.wire import as_utc
from pipelines.warehouse import load
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import run_query

# A load streams, and what it wrote can wait on disk: less than the reports may take leaves the
# rest to the records in hand.
_LOAD_MEMORY = "128MB"
_FAILED = ("failed", "incomplete")
_LATEST_STATUS = "select status from ingest.runs order by as_of desc, run_id desc limit 1"


@dataclass(frozen=True)
class RunRequest:
    """What a run is asked to do."""

    run_id: str
    full: bool
    scope: Scope


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
        return not self.failed_namespaces and not self.count(*_FAILED)

    def count(self, *statuses: str) -> int:
        """Repositories with one of these statuses."""
        return sum(status in statuses for status in self.crawls["status"].to_pylist())


def check_settings() -> None:
    """Tell what is missing before anything is started.

    Raises:
        SettingsError: a setting is wrong, or endpoint or credentials are missing.
    """
    settings = read_settings()
    with Transport(settings) as transport:
        client_from(settings, transport)


def latest_status(settings: Settings) -> str:
    """How the published run went: complete or partial."""
    status: str = run_query(settings.warehouse_dir, _LATEST_STATUS)["status"][0].as_py()
    return status


def crawl_registry(settings: Settings, order: RunRequest, progress: Progress) -> CrawlSummary:
    """Discover, crawl and land; take up the landing of a dead run if it fits.

    Raises:
        SettingsError: something to talk to SWR with is missing, or the scope names nothing known.
        SwrError: the namespaces could not be listed.
        NothingRead: no repository could be read.
    """
    as_of = datetime.now(UTC)
    log = RunLog(order.run_id)
    log.event("run started", mode=_mode(order), scope=_scope(order.scope))
    with (
        Transport(settings) as transport,
        closing(StoredRepositories(settings.warehouse_dir)) as published,
    ):
        client = client_from(settings, transport)
        found = discover(client, order.scope, published.names(), threads=settings.concurrency)
        folder = _open_folder(settings, order, published, as_of)
        write_table(folder.path / "repositories.parquet", _listed(found))
        crawler = Crawler(
            client=client,
            folder=folder,
            known=NoRepositories() if order.full else published,
            limits=Limits(settings.page_size),
            progress=progress,
            log=log,
        )
        crawler.crawl(found, done=_done(folder.path), threads=settings.concurrency)
        totals = _totals(found, transport, as_of)
        folder.close(totals)
    failures = {name: str(error) for name, error in found.failed_namespaces.items()}
    crawls = read_crawls(folder.path)
    summary = CrawlSummary(crawls, totals, found.visible_namespaces, failures)
    _tell_landed(log, summary)
    _refuse_nothing(summary)
    return summary


def load_landing(settings: Settings, run_id: str) -> dict[str, int]:
    """Load what the run landed into the building file, a bounded chunk at a time.

    Returns:
        Rows by table of the building file.
    """
    try:
        return _load_landing(settings, run_id, _LOAD_MEMORY)
    except WarehouseShortOfMemory:
        # A checkpoint, which may take up two thousand texts of many megabytes, fails but once.
        return _load_landing(settings, run_id, None)


def _load_landing(settings: Settings, run_id: str, memory_limit: str | None) -> dict[str, int]:
    directory = settings.warehouse_dir
    path = _landing_zone(settings) / run_id
    totals = read_totals(path)
    start_building(directory)
    with connect_building(directory, memory_limit) as con:
        load.begin(con)

        def settled(digests: Collection[str]) -> set[str]:
            return load.settled_digests(con, list(digests))

        for chunk in normalize(path, settled):
            load.stage_tags(con, chunk.tags)
            load.stage_rejected(con, chunk.counted, chunk.rejected)
            load.load_images(con, *chunk.images, totals.as_of)
            del chunk  # before the next is made
        crawls = read_crawls(path)
        run = _run_row(settings, run_id, read_run(path), totals, crawls)
        load.apply(con, run, crawls.select(CRAWLS.names), read_repositories(path))
        rows = load.row_counts(con)
    RunLog(run_id).event("run loaded", status=run.status, rows=rows)
    return rows


def publish_run(settings: Settings, run_id: str) -> Path:
    """Publish what the run has built and audited; give the warehouse's path.

    Raises:
        WarehouseError: it cannot be replaced.
    """
    path = publish(settings.warehouse_dir)
    RunLog(run_id).event("run published", bytes=path.stat().st_size)
    return path


def _open_folder(
    settings: Settings, order: RunRequest, published: StoredRepositories, now: datetime
) -> landing.LandingWriter:
    run = landing.CrawlRequest(
        mode=_mode(order),
        namespaces=order.scope.namespaces,
        repositories=order.scope.repositories,
        based_on=published.last_run(),
        started_at=now,
    )
    return open_landing(
        _landing_zone(settings),
        order.run_id,
        run,
        published=published.runs(),
        max_age=timedelta(hours=settings.landing_max_age_hours),
        now=now,
        clock=time.monotonic,
    )


def _landing_zone(settings: Settings) -> Path:
    return settings.warehouse_dir / "landing"


def _mode(order: RunRequest) -> str:
    return "full" if order.full else "incremental"


def _scope(asked: Scope | landing.CrawlRequest) -> dict[str, tuple[str, ...]]:
    return {"namespaces": asked.namespaces, "repositories": asked.repositories}


def _done(path: Path) -> set[Name]:
    """Repositories that a dead run finished; those that failed are tried again."""
    return {
        (row["namespace"], row["repository"])
        for row in read_crawls(path).to_pylist()
        if row["status"] != "failed"
    }


def _listed(found: Discovery) -> pa.Table:
    """The listed repositories as rows of REPOSITORIES."""
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
        for (namespace, repository), record in found.listed.items()
    ]
    return pa.Table.from_pylist(rows, schema=REPOSITORIES)


def _totals(found: Discovery, transport: Transport, as_of: datetime) -> landing.CrawlTotals:
    counters = transport.counters
    return landing.CrawlTotals(
        as_of=as_of,
        unread_namespaces=found.unread_namespaces,
        failed_namespaces=len(found.failed_namespaces),
        unread_repositories=found.unread_repositories,
        requests=counters.requests,
        retries=counters.retries,
        throttled_seconds=counters.throttled_seconds,
        bytes=counters.bytes,
    )


def _tell_landed(log: RunLog, summary: CrawlSummary) -> None:
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


def _refuse_nothing(summary: CrawlSummary) -> None:
    """Refuse to go on from a run in which everything failed."""
    if summary.is_complete or summary.count("complete", "unchanged", "incomplete", "missing"):
        return
    errors = [*summary.failed_namespaces.values(), *summary.crawls["error"].to_pylist()]
    raise NothingRead(f"Nothing could be read, so nothing is published. First error: {errors[0]}")


def _run_row(
    settings: Settings,
    run_id: str,
    asked: landing.CrawlRequest,
    totals: landing.CrawlTotals,
    crawls: pa.Table,
) -> load.Run:
    failed = set(crawls["status"].to_pylist()) & set(_FAILED)
    scope = _scope(asked)
    return load.Run(
        run_id=run_id,
        as_of=totals.as_of,
        mode=asked.mode,
        started_at=totals.as_of,
        finished_at=datetime.now(UTC),
        status="partial" if failed or totals.failed_namespaces else "complete",
        scope=msgspec.json.encode(scope).decode(),
        unread_namespaces=totals.unread_namespaces,
        unread_repositories=totals.unread_repositories,
        stale_days=settings.stale_days,
        requests=totals.requests,
        retries=totals.retries,
        throttled_seconds=totals.throttled_seconds,
        failed_namespaces=totals.failed_namespaces,
        received_bytes=totals.bytes,
    )
