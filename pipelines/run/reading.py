"""Reads one repository and compares what it read with its own count; or finds it gone.

The `crawler` decides how many are read at the same time, and records what came of each.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from pipelines.errors import SwrError, SwrNotFound, SwrUnauthenticated
from pipelines.landing.writer import LandedPage, LandingWriter
from pipelines.run.request import Name
from pipelines.swr.client import SwrClient
from pipelines.swr.limits import Limits
from pipelines.swr.paging import (
    SHORT_LIMIT,
    CrawlOutcome,
    CrawlStatus,
    KnownRecords,
    Page,
    PageRequest,
)
from pipelines.swr.wire import RepositoryRecord

LIST_CONTRADICTED = "list_contradicted"
# The code of SWR's own 404 for a namespace that is not there.
_NO_NAMESPACE = "4040058"
# One lost answer, or one server that lags behind, must not close a repository's tags.
_TIMES_ASKED = 2


class KnownRepositories(Protocol):
    """What earlier runs proved, to compare with."""

    def get(self, name: Name) -> KnownRecords | None:
        """What is known of a repository; None if it has to be read whole."""

    def record_count(self, name: Name) -> int:
        """How many records it held when it was last read, however that ended."""


class ReadRepository(NamedTuple):
    """How the reading of a repository ended; cause and error say why, where it is not proven."""

    outcome: CrawlOutcome
    cause: str | None = None
    error: str | None = None


@dataclass
class RepositoryReader:
    """Reads repositories into a landing folder; used by many threads.

    `namespaces` are all that are visible.
    """

    client: SwrClient
    folder: LandingWriter
    known: KnownRepositories
    limits: Limits
    namespaces: Collection[str]

    def read(self, name: Name, listed: RepositoryRecord | None) -> ReadRepository:
        """Read a repository, whatever the registry does; `listed` is its record in the list.

        Raises:
            SwrUnauthenticated: the credentials were refused, so that nothing more can be read.
        """
        try:
            return self._read(name, listed)
        except SwrUnauthenticated:
            raise
        except SwrError as error:
            return ReadRepository(FAILED, None, str(error))

    def _read(self, name: Name, listed: RepositoryRecord | None) -> ReadRepository:
        if listed is None and self._is_gone(name):
            return ReadRepository(MISSING)
        try:
            return self._read_proven(name, listed)
        except SwrError as error:
            if self._says_gone(error, name) and self._is_gone(name):
                return ReadRepository(MISSING)
            raise

    def _read_proven(self, name: Name, listed: RepositoryRecord | None) -> ReadRepository:
        """Read the tags; whole, if what was compared with earlier runs is contradicted."""
        known = self.known.get(name)
        outcome = self._read_tags(name, known)
        contradiction = self._contradiction(name, listed, outcome)
        if contradiction and known is not None:
            again = self._read_tags(name, None)
            outcome = replace(again, pages=again.pages + outcome.pages)
            contradiction = self._contradiction(name, listed, outcome)
        if contradiction:
            return ReadRepository(_doubted(outcome), LIST_CONTRADICTED, contradiction)
        return ReadRepository(outcome, error=_why_incomplete(outcome))

    def _read_tags(self, name: Name, known: KnownRecords | None) -> CrawlOutcome:
        """Ask for pages in the reading order."""

        def land(walk: int, page: Page, kept: Sequence[int]) -> None:
            some = kept if len(kept) < len(page.records) else None
            self.folder.add(LandedPage(*name, walk, len(kept), some, page.body))

        return self.client.read(*name, self.limits, land, known)

    def _contradiction(
        self, name: Name, listed: RepositoryRecord | None, outcome: CrawlOutcome
    ) -> str | None:
        """Why the repository's own count of tags says that the list is short of some.

        Only where the repository list counted more tags than were read, or where a repository that
        held some shows none and states no total, is the repository asked by name, now that it is
        read: that count decides. More tags than counted contradict nothing: the count may lag
        behind, and need not count signatures. What is compared are all records of the tag list,
        those that are flagged as deleted or rejected too.
        """
        if outcome.status not in {CrawlStatus.COMPLETE, CrawlStatus.UNCHANGED}:
            return None
        found = max(outcome.received, outcome.expected or 0)
        counted = (listed.num_images if listed else None) or 0
        if counted > found:
            own_count = self._own_count(name)
            counted = counted if own_count is None else own_count
            if counted > found and not self._has_grown_to(name, counted):
                return f"it lists {found} tags and counts {counted}"
        held = self.known.record_count(name)
        if held and not found and outcome.expected is None and self._own_count(name) != 0:
            return f"it lists no tags, it held {held}, and it does not count 0"
        return None

    def _has_grown_to(self, name: Name, count: int) -> bool:
        """Whether the tag list holds so many by now: tags were pushed since it was read."""
        newest = PageRequest(0, SHORT_LIMIT, newest_first=True)
        total = self._answer(name, lambda: self.client.tag_page(*name, newest).total)
        return total is not None and total >= count

    def _own_count(self, name: Name) -> int | None:
        """The repository's own count of its tags; None where it has none."""
        return self._answer(name, lambda: self.client.repository(*name).num_images)

    def _answer(self, name: Name, ask: Callable[[], int | None]) -> int | None:
        """What SWR answers; None where it answers with an error, unless the repository is gone."""
        try:
            return ask()
        except SwrUnauthenticated:
            raise
        except SwrError as error:
            if self._says_gone(error, name):
                raise
            return None

    def _is_gone(self, name: Name) -> bool:
        """Ask for a repository by name: whether it is gone.

        Raises:
            SwrError: an answer that says neither that it is gone nor that it is there.
        """
        return all(self._is_missing(name) for _ in range(_TIMES_ASKED))

    def _is_missing(self, name: Name) -> bool:
        try:
            self.client.repository(*name)
        except SwrError as error:
            if self._says_gone(error, name):
                return True
            raise
        return False

    def _says_gone(self, error: SwrError, name: Name) -> bool:
        """Whether SWR itself says that there is no such repository.

        That there is no such namespace counts only where their list does not show it either.
        """
        is_of_namespace = (error.code or "").endswith(_NO_NAMESPACE)
        return isinstance(error, SwrNotFound) and not (
            is_of_namespace and name[0] in self.namespaces
        )


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


FAILED = _unread(CrawlStatus.FAILED, lists_everything=False)
MISSING = _unread(CrawlStatus.MISSING, lists_everything=True)


def _doubted(outcome: CrawlOutcome) -> CrawlOutcome:
    """The outcome of a reading that does not hold all there is."""
    return replace(outcome, status=CrawlStatus.INCOMPLETE, lists_everything=False)


def _why_incomplete(outcome: CrawlOutcome) -> str | None:
    if outcome.status is not CrawlStatus.INCOMPLETE:
        return None
    return (
        f"the list kept changing or contradicting itself: {outcome.received} records read,"
        f" {outcome.expected if outcome.expected is not None else 'unknown'} expected"
    )
