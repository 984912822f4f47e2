"""How the command line looks: its consoles, a progress bar on a terminal, plain lines elsewhere.

What is printed is text, never markup: it may come from strangers.
"""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from assets.cli.stopping import drop_output
from pipelines.page.plain_text import printable
from pipelines.run.progress import taken_up_words
from pipelines.run.request import Name
from pipelines.swr.paging import CrawlOutcome

_LINES_EVERY = 100
_ANSWERS_EVERY = 1000
# No string is taken for markup, emoji or something to highlight.
_PLAIN: Any = {"highlight": False, "markup": False, "emoji": False, "soft_wrap": True}
# So many repositories are named with what is wrong; the others are counted.
_NAMED = 10


class _Console(Console):
    """A console whose reader may go: what is printed after that goes nowhere."""

    def on_broken_pipe(self) -> None:
        """Go on without a reader."""
        self.quiet = True
        drop_output()


def error_console() -> Console:
    """Give the console for progress and errors.

    Dagster turns a step's standard streams into its logs; a terminal is written to past that, or
    the progress bar would end up there.
    """
    file = None
    if sys.stderr.isatty():
        file = os.fdopen(os.dup(sys.stderr.fileno()), "w")
    return _Console(file=file, stderr=True, **_PLAIN)


def output_console() -> Console:
    """Give the console for results."""
    return _Console(**_PLAIN)


class TerminalProgress:
    """Shows a crawl on standard error: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._ended: Counter[str] = Counter()
        self._taken_up = ""
        self._unproven = 0
        self._tags = 0
        self._total = 0
        self._asked_for = 0
        self._answered = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._began = time.monotonic()
        self._task = TaskID(0)
        self._keep: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if self._unproven > _NAMED:
            more = f"{self._unproven - _NAMED} more repositories could not be read, or not whole:"
            self._console.print(f"{more} see ingest.crawls.")

    def start(self, repositories: int, tags: int, keep: Callable[[], None]) -> None:
        """Show how much there is to read."""
        self._keep = keep
        self._total = repositories
        self._began = time.monotonic()
        self._task = self._bar.add_task("reading", total=repositories, what="repositories")
        if not self._console.is_terminal:
            self._console.print(f"Reading {repositories} repositories of about {tags} tags.")

    def finished(self, name: Name, outcome: CrawlOutcome, error: str | None) -> None:
        """Count a repository; print at once why it could not be read."""
        with self._lock:
            self._ended[outcome.status.value] += 1
            self._tags += outcome.received
            done = self._ended.total()
            what = f"repositories, {self._tags:,} tags, {self._rate(self._tags)} tags/s"
            self._bar.update(self._task, completed=done, what=what)
            if error:
                self._name(name, f"{outcome.status.value}: {error}")
            if not self._console.is_terminal and (done == self._total or not done % _LINES_EVERY):
                self._console.print(f"{done} of {self._total} repositories, {self._tags} tags.")

    def _rate(self, count: int) -> str:
        return f"{count / max(time.monotonic() - self._began, 1):,.0f}"

    def resolving(self, count: int, keep: Callable[[], None]) -> None:
        """Show how much the registry is asked for."""
        self._keep = keep
        self._began = time.monotonic()
        self._bar.update(self._task, visible=False)
        self._task = self._bar.add_task("asking for", total=count, what="manifests and sizes")
        self._asked_for = count
        self._answered = 0
        if not self._console.is_terminal:
            self._console.print(f"Asking for {count} manifests and sizes.")

    def resolved(self) -> None:
        """Count an answer."""
        self._answered += 1
        what = f"manifests and sizes, {self._rate(self._answered)}/s"
        self._bar.update(self._task, completed=self._answered, what=what)
        is_shown = self._answered == self._asked_for or not self._answered % _ANSWERS_EVERY
        if is_shown and not self._console.is_terminal:
            self._console.print(f"{self._answered} of {self._asked_for} asked for.")

    def _name(self, name: Name, problem: str) -> None:
        """Name one of the first repositories that are not proven."""
        self._unproven += 1
        if self._unproven <= _NAMED:
            self.notice(f"{'/'.join(name)}: {problem}")

    def taken_up(self, repositories: int, began: datetime) -> None:
        """Keep it for the end."""
        self._taken_up = taken_up_words(repositories, began)

    def notice(self, text: str) -> None:
        """Print it above the bar."""
        self._console.print(printable(text))

    def kept(self) -> str:
        """Have what was read kept, and say what that is: the run stops now."""
        self._bar.stop()
        self._keep()
        if not self._ended:
            return "nothing was read yet, and what is published stays as it was."
        answers = f", and {self._answered} manifests and sizes" if self._answered else ""
        return (
            f"{self._ended.total()} of {self._total} repositories are read and kept{answers};"
            " run the same command again to go on from there."
        )

    def ended(self) -> str:
        """How the reading of the repositories ended, in words."""
        counts = [f"{count} {status}" for status, count in sorted(self._ended.items())]
        taken_up = [self._taken_up] if self._taken_up else []
        return ", ".join([*taken_up, *counts]) or "none"
