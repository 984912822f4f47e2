"""What assets are given to work with: the settings under the writer lock, and a progress.

Thin: settings are read from the environment when a run starts, so that definitions load in an
empty one. https://docs.dagster.io/guides/build/external-resources
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import dagster as dg

from assets.reexecution import refuse_to_continue_another_run
from assets.registries import settings_of
from pipelines.page.plain_text import printable
from pipelines.run import log as run_log
from pipelines.run.progress import Progress, taken_up_words
from pipelines.run.registries import let_join
from pipelines.run.request import Name
from pipelines.settings import Settings
from pipelines.swr.paging import CrawlOutcome
from pipelines.warehouse.building import writer_lock


class WarehouseResource(dg.ConfigurableResource[Settings]):
    """The settings of a run, given only to one run at a time: a warehouse has one writer."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Settings]:
        """Hold the writer lock from the first step to the last."""
        settings = settings_of(context.run)
        let_join(settings)
        with run_log.json_lines(settings), writer_lock(settings.warehouse_dir):
            if context.instance and context.run:
                refuse_to_continue_another_run(context.instance, context.run, settings)
            yield settings


class LogProgress:
    """Writes to the run's log what a person watching it wants to know: what went wrong."""

    def __init__(self, log: dg.DagsterLogManager) -> None:
        self._log = log

    def start(self, repositories: int, tags: int, keep: Callable[[], None]) -> None:
        """Say how much there is to read."""
        del keep  # a run of the daemon's is not stopped by hand
        self._log.info(f"Reading {repositories} repositories of about {tags} tags.")

    def finished(self, name: Name, outcome: CrawlOutcome, error: str | None) -> None:
        """Say which repositories could not be read, and why."""
        if error:
            self._log.warning(printable(f"{'/'.join(name)}: {outcome.status.value}: {error}"))

    def taken_up(self, repositories: int, began: datetime) -> None:
        """Say it."""
        self._log.info(f"Repositories: {taken_up_words(repositories, began)}.")

    def resolving(self, count: int, keep: Callable[[], None]) -> None:
        """Say how much the registry is asked for."""
        del keep
        self._log.info(f"Asking for {count} manifests and sizes.")

    def resolved(self) -> None:
        """Say nothing."""

    def notice(self, text: str) -> None:
        """Say it."""
        self._log.info(printable(text))


class ProgressResource(dg.ConfigurableResource[Progress]):
    """Writes to the run's log; the command line puts a progress bar in its place."""

    def create_resource(self, context: dg.InitResourceContext) -> Progress:
        """Give what the crawl reports to."""
        assert context.log is not None  # noqa: S101 - Dagster always gives a run's log
        return LogProgress(context.log)
