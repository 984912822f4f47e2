"""How a crawl reports its progress; the command line and Dagster each bring their own."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from pipelines.run.request import Name
from pipelines.swr.paging import CrawlOutcome


def taken_up_words(repositories: int, began: datetime) -> str:
    """Say what a run took up, after the words for the repositories."""
    return f"{repositories} taken up from a run of {began.astimezone():%H:%M} that did not finish"


class Progress(Protocol):
    """Hears what happens while it happens, from any thread."""

    def start(self, repositories: int, tags: int, keep: Callable[[], None]) -> None:
        """The crawl is about to read that many repositories, of about that many tags.

        `keep` writes what has been read so far to disk: for a process that is about to end.
        """

    def finished(self, name: Name, outcome: CrawlOutcome, error: str | None) -> None:
        """A repository has been read, or could not be."""

    def taken_up(self, repositories: int, began: datetime) -> None:
        """So many are not read again: a run that began then, and did not finish, has read them."""

    def resolving(self, count: int, keep: Callable[[], None]) -> None:
        """The registry is about to be asked for so much more; `keep` as for `start`."""

    def resolved(self) -> None:
        """One of these was answered, or could not be."""

    def notice(self, text: str) -> None:
        """Something else happened that a person should know, in one sentence."""


class NoProgress:
    """For callers who watch nothing."""

    def start(self, repositories: int, tags: int, keep: Callable[[], None]) -> None:
        """Ignore it."""

    def finished(self, name: Name, outcome: CrawlOutcome, error: str | None) -> None:
        """Ignore it."""

    def taken_up(self, repositories: int, began: datetime) -> None:
        """Ignore it."""

    def resolving(self, count: int, keep: Callable[[], None]) -> None:
        """Ignore it."""

    def resolved(self) -> None:
        """Ignore it."""

    def notice(self, text: str) -> None:
        """Ignore it."""
