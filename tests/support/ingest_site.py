"""Runs of the real job against an emulator, and the warehouse they leave, for tests."""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from made_once import made_once

from assets.cli.launch import run_job
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.run.crawl import crawl_registry
from pipelines.run.ingest import ingest, latest_status
from pipelines.run.load import load_landing
from pipelines.run.progress import NoProgress, Progress
from pipelines.run.request import RunRequest, Scope
from pipelines.run.resolve import resolve
from pipelines.settings import Settings, read_settings
from pipelines.warehouse.building import connect_building, writer_lock
from pipelines.warehouse.checks import raise_if_blocked, run_checks, table_checks
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import run_query
from pipelines.warehouse.reports import build_reports

AT = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Site:
    """A registry and the warehouse that is made of it."""

    server: Emulator
    directory: Path
    settings: dict[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=NoProgress)

    def ingest(
        self,
        *,
        full: bool = False,
        namespaces: Sequence[str] = (),
        repositories: Sequence[str] = (),
    ) -> str:
        """Run the job `ingest`; give its status. The log then holds this run's requests only."""
        # In memory: Dagster's own files take longer to write than these registries to read.
        with dg.DagsterInstance.ephemeral() as instance:
            self.ingest_on(
                instance, full=full, namespaces=list(namespaces), repositories=list(repositories)
            )
        return latest_status(read_settings())

    def begin(self, kept: Path) -> None:
        """Have what a first run leaves: a copy of what is kept, and kept if nothing is yet."""
        made_once(kept, self.directory, self.ingest)

    def ingest_on(self, instance: dg.DagsterInstance, **config: Any) -> None:
        """Run the job `ingest` on a Dagster instance, with the config of its reading step."""
        self.server.log.clear()
        self.set_environment()
        run_job(instance, config, self.progress)

    def set_environment(self) -> None:
        """Point the settings at the emulator."""
        os.environ.update(
            {
                "SWR_ENDPOINT": self.server.url,
                "SWR_AUTH_TOKEN": "emulator-token",
                "SWR_REQUESTS_PER_SECOND": "0",
                "SWR_PULLS_PER_SECOND": "0",
                "SWR_WAREHOUSE_DIR": str(self.directory),
                **self.settings,
            }
        )

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the published warehouse."""
        return self.table(sql).to_pylist()

    def table(self, sql: str) -> pa.Table:
        """A table of the published warehouse."""
        return run_query(self.directory, sql)

    def tags_requests(self) -> dict[str, int]:
        """Requests for tags in the last run, by path."""
        paths = [entry.path for entry in self.server.log if entry.path.endswith("/tags")]
        return {path: paths.count(path) for path in paths}


class PlainSite(Site):
    """A site whose runs take every step, without Dagster: in half of the time."""

    def ingest(
        self,
        *,
        full: bool = False,
        namespaces: Sequence[str] = (),
        repositories: Sequence[str] = (),
    ) -> str:
        """Run every step; give the run's status. The log then holds this run's requests only."""
        self.server.log.clear()
        self.set_environment()
        settings = read_settings()
        scope = Scope(tuple(namespaces), tuple(repositories))
        self.take_steps(settings, RunRequest(str(uuid.uuid4()), full, scope))
        return latest_status(settings)

    def take_steps(self, settings: Settings, request: RunRequest) -> None:
        """Do what a run does."""
        ingest(settings, request, self.progress)


@dataclass
class CrawlSite(PlainSite):
    """A site whose runs crawl, load, resolve, check the tables and publish: no Dagster.

    For what a crawl decides: it takes a tenth of the time. Only the `reports` named are built.
    """

    reports: tuple[str, ...] = ()

    def take_steps(self, settings: Settings, request: RunRequest) -> None:
        """Do these."""
        with writer_lock(self.directory):
            crawl_registry(settings, request, self.progress)
            load_landing(settings, request.run_id)
            resolve(settings, request.run_id, self.progress)
            with connect_building(self.directory) as con:
                raise_if_blocked(run_checks(con, table_checks()))
                if self.reports:
                    build_reports(con, names=self.reports)
            publish(self.directory)


@contextmanager
def at_site(directory: Path, registry: Registry, **options: Any) -> Iterator[Site]:
    """Serve a registry beside a warehouse in this directory."""
    with Emulator(registry, **options) as server:
        yield Site(server, directory / "warehouse")


@contextmanager
def at_plain_site(directory: Path, registry: Registry, **options: Any) -> Iterator[PlainSite]:
    """Serve a registry beside a warehouse in this directory, for runs without Dagster."""
    with Emulator(registry, **options) as server:
        yield PlainSite(server, directory / "warehouse")


@contextmanager
def at_crawl_site(
    directory: Path, registry: Registry, *, reports: tuple[str, ...] = (), **options: Any
) -> Iterator[CrawlSite]:
    """Serve a registry beside a warehouse in this directory, for runs that make few reports."""
    with Emulator(registry, **options) as server:
        yield CrawlSite(server, directory / "warehouse", reports=reports)


@contextmanager
def at_read_site(directory: Path, registry: Registry) -> Iterator[PlainSite]:
    """Serve a registry beside a warehouse that is made of it, for a module's tests to look at."""
    with at_plain_site(directory, registry) as site:
        with own_environment():
            assert site.ingest() == "complete"
        yield site


@contextmanager
def own_environment() -> Iterator[None]:
    """Let what sites set in the environment last no longer than this; for fixtures of a module."""
    before = dict(os.environ)
    # As in any test: it takes as long as a small run itself.
    os.environ["SWR_WRITE_PAGE"] = "false"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def manifest(*layers: tuple[str, int], config: str = "c") -> str:
    """An image of named layers and sizes, and a configuration of 100 bytes."""

    def descriptor(name: str, size: int) -> dict[str, Any]:
        digest = "sha256:" + name.encode().hex().rjust(64, "0")
        return {"mediaType": "application/octet-stream", "digest": digest, "size": size}

    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": descriptor(config, 100)
            | {"mediaType": "application/vnd.docker.container.image.v1+json"},
            "layers": [descriptor(*layer) for layer in layers],
        }
    )


def small_registry() -> Registry:
    """Two namespaces, three repositories, one of them of 60 tags, one empty of news."""
    registry = Registry()
    for number in range(60):
        text = manifest(("base", 1000), (f"app{number}", 10))
        registry.push("shop", "cart", f"v{number}", text, at=AT + timedelta(minutes=number))
    registry.push("shop", "deep/er/app", "1", manifest(("base", 1000)), at=AT)
    registry.push("data", "spark", "latest", manifest(("spark", 5000)), at=AT)
    return registry
