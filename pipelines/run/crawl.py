"""The first step of a run: discover repositories, crawl their tags, land every record.

Takes up the landing of a run that died, if it fits. Reading one repository is the `crawler`'s work.
"""

import logging
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import NothingRead
from pipelines.landing import writer as landing
from pipelines.landing.files import write_table
from pipelines.landing.reader import read_crawls, read_run
from pipelines.landing.zone import open_landing
from pipelines.run.clock import RunClock, offset_warning, set_back_warning
from pipelines.run.crawler import Crawler
from pipelines.run.discover import Discovery, ListStatus, discover
from pipelines.run.identity import (
    RegistryIdentity,
    identify,
    is_same_account,
    refuse_another,
    refuse_another_name,
)
from pipelines.run.known import ReadWhole, StoredRepositories
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.request import RunRequest
from pipelines.run.retention_rules import RulesReader
from pipelines.run.service_figures import read_service_figures
from pipelines.run.taken_up import taken_up
from pipelines.schemas import NAMESPACES, REPOSITORIES
from pipelines.settings import Settings
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.limits import Limits
from pipelines.swr.transport import Transport
from pipelines.swr.wire import as_utc
from pipelines.warehouse.building import discard_building
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
    # Room for what is read: a dead run may have left much.
    discard_building(settings.warehouse_dir)
    ensure_state(settings.warehouse_dir)
    log = RunLog(request.run_id)
    log.event("run started", mode=request.mode, scope=request.scope.as_dict())
    with (
        Transport(settings) as transport,
        closing(StoredRepositories(settings.warehouse_dir)) as stored,
    ):
        client = client_from(settings, transport)
        clock = RunClock(stored.latest_moment())
        crawl = _Crawl(settings, request, client, stored, clock, progress, log)
        return crawl.run()


@dataclass
class _Crawl:
    """What the steps of one crawl share."""

    settings: Settings
    request: RunRequest
    client: SwrClient
    stored: StoredRepositories
    clock: RunClock
    progress: Progress
    log: RunLog

    def run(self) -> CrawlSummary:
        """Discover, crawl and land."""
        refuse_another_name(self.stored.registry, self.settings)
        registry = identify(self.settings).known_as(self.stored.registry)
        self._refuse_another(registry)
        self._warn_of_clock(set_back_warning(self.clock.set_back_seconds))
        found = discover(
            self.client,
            self.request.scope,
            self.stored.names(),
            threads=self.settings.concurrency,
        )
        registry = replace(registry, domain=self.client.domain_id)
        self._refuse_another(registry)
        self._warn_of_clock(offset_warning(self.client.transport.clock_offset_seconds))
        self._warn_of_namespaces(found)
        folder = self._open_landing(registry, found)
        # That of the run that is taken up, if there is one: the figures speak of that time.
        as_of = read_run(folder.path).started_at
        is_refused = self._crawl(folder, found, as_of)
        # Last, for a refusal here is to stop nothing.
        figures = read_service_figures(self.client)
        write_table(folder.path / "service_figures.parquet", figures)
        if self.settings.read_rules and not is_refused:
            self._read_rules(folder, found)
        totals = _totals(found, self.client.transport, self.clock, as_of)
        folder.close(totals)
        crawls = read_crawls(folder.path)
        summary = CrawlSummary(crawls, totals, list(found.namespaces), found.failed_namespaces)
        _log_landed(self.log, summary)
        _raise_if_nothing_read(summary)
        return summary

    def _refuse_another(self, registry: RegistryIdentity) -> None:
        """Refuse another registry than the stored one, as far as either is known by now."""
        accounts = [account] if (account := self.client.domain_id) else []
        refuse_another(self.stored.registry, registry, accounts, self.settings.warehouse_dir)

    def _warn_of_clock(self, sentence: str | None) -> None:
        if sentence:
            self.log.event("clock is wrong", level=logging.WARNING, error=sentence)
            self.progress.notice(sentence)

    def _warn_of_namespaces(self, found: Discovery) -> None:
        """Name at once those that cannot be read, or not whole."""
        for namespace, error in found.failed_namespaces.items():
            self.log.event(
                "namespace not listed", level=logging.WARNING, namespace=namespace, error=error
            )
            status = found.namespaces[namespace].status
            self.progress.notice(f"{namespace}: list of repositories {status}: {error}")

    def _open_landing(self, registry: RegistryIdentity, found: Discovery) -> landing.LandingWriter:
        asked = landing.CrawlRequest(
            mode=self.request.mode,
            namespaces=self.request.scope.namespaces,
            repositories=self.request.scope.repositories,
            based_on=self.stored.last_run(),
            started_at=self.clock.as_of,
            registry=registry.name,
            endpoint=registry.endpoint,
            region=registry.region,
            domain=registry.domain,
        )
        folder = open_landing(
            landing_zone(self.settings),
            self.request.run_id,
            asked,
            published=self.stored.runs(),
            max_age=timedelta(hours=self.settings.landing_max_age_hours),
            now=self.clock.as_of,
            clock=time.monotonic,
            is_same_account=lambda path: is_same_account(path, self.client, found.listed),
        )
        write_table(folder.path / "namespaces.parquet", _namespaces(found))
        write_table(folder.path / "repositories.parquet", _repositories(found))
        return folder

    def _read_rules(self, folder: landing.LandingWriter, found: Discovery) -> None:
        reader = RulesReader(
            self.client, self.stored.rules(), self.clock.now, self.progress, self.log
        )
        rules, log = reader.read(
            found.listed, is_full=self.request.full, threads=self.settings.concurrency
        )
        write_table(folder.path / "retention_rules.parquet", rules)
        write_table(folder.path / "retention_log.parquet", log)

    def _crawl(self, folder: landing.LandingWriter, found: Discovery, as_of: datetime) -> bool:
        """Read the repositories; give whether the credentials were refused."""
        earlier = taken_up(folder.path, found)
        found.unlisted += earlier.vanished
        if earlier.latest:
            self.clock.go_on_from(earlier.latest)
            self.progress.taken_up(len(earlier.done), as_of)
            self.log.event("landing taken up", repositories=len(earlier.done), as_of=str(as_of))
        crawler = Crawler(
            client=self.client,
            folder=folder,
            known=ReadWhole(self.stored) if self.request.full else self.stored,
            limits=Limits(self.settings.page_size),
            clock=self.clock,
            progress=self.progress,
            log=self.log,
        )
        return crawler.crawl(found, done=earlier.done, threads=self.settings.concurrency)


def landing_zone(settings: Settings) -> Path:
    """Where the landings of all runs are."""
    return settings.warehouse_dir / "landing"


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


def _totals(
    found: Discovery, transport: Transport, clock: RunClock, as_of: datetime
) -> landing.CrawlTotals:
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
        clock_set_back_seconds=clock.set_back_seconds,
        clock_offset_seconds=transport.clock_offset_seconds,
    )


def _log_landed(log: RunLog, summary: CrawlSummary) -> None:
    totals = summary.totals
    log.event(
        "run landed",
        repositories=Counter(summary.crawls["status"].to_pylist()),
        tags=pc.sum(summary.crawls["received"]).as_py(),
        requests=totals.requests,
        retries=totals.retries,
        throttled_seconds=totals.throttled_seconds,
        bytes=totals.bytes,
    )


def _raise_if_nothing_read(summary: CrawlSummary) -> None:
    """Refuse to go on from a run in which everything failed, or that sees nothing at all."""
    if not (summary.visible_namespaces or summary.crawls.num_rows):
        raise NothingRead(
            "These credentials see no organization (namespace), so nothing is published: grant"
            " them access to one in SWR, or check which account and project they are of."
        )
    if summary.is_complete or summary.count("complete", "unchanged", "incomplete", "missing"):
        return
    errors = [*summary.failed_namespaces.values(), *summary.crawls["error"].to_pylist()]
    raise NothingRead(f"Nothing could be read, so nothing is published. First error: {errors[0]}")
