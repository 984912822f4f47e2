"""Reads the repository list of a namespace to its end, and says whether that is all of it.

The list is paged by offset and shifts while it is read, so it is read again until one walk brings
as many records as the registry says there are. Which HTTP request a page becomes is told in
`client`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.swr.wire import RepositoryRecord

_MAXIMUM_WALKS = 3
# No namespace has so many pages: the list has no end.
_MAXIMUM_PAGES = 1000


class RepositoryPage(NamedTuple):
    """A page of the list: records, the texts of those without a readable name, and the total."""

    records: list[RepositoryRecord]
    unreadable: list[bytes]
    total: int | None


@dataclass(frozen=True)
class RepositoryList:
    """The repositories of one namespace, sorted by name.

    `unreadable` counts records without a readable name. `received` counts all distinct records of
    the list, those of other namespaces that its fuzzy filter let through too: with fewer than
    `total`, which is None where it was not stated, the list is not complete.
    """

    records: list[RepositoryRecord]
    unreadable: int
    is_complete: bool
    total: int | None
    received: int


@dataclass
class _Walk:
    """What one walk through the list has read so far."""

    namespace: str
    records: dict[tuple[str, str], RepositoryRecord] = field(default_factory=dict)
    unreadable: set[bytes] = field(default_factory=set)
    total: int | None = None
    has_ended: bool = False
    pages: int = 0

    @property
    def received(self) -> int:
        return len(self.records) + len(self.unreadable)

    @property
    def is_complete(self) -> bool:
        return self.has_ended if self.total is None else self.received >= self.total

    def add(self, page: RepositoryPage) -> None:
        """Take in a page."""
        self.pages += 1
        stated = [total for total in (self.total, page.total) if total is not None]
        self.total = max(stated, default=None)
        self.unreadable.update(page.unreadable)
        self.records.update(
            {(record.namespace or self.namespace, record.name): record for record in page.records}
        )


def read_repository_list(
    namespace: str, limit: int, ask: Callable[[int, int], RepositoryPage]
) -> RepositoryList:
    """Read the list of a namespace.

    Args:
        namespace: the owner; records of others are counted and left out.
        limit: page size.
        ask: gives the page at an offset, of up to so many records.
    """
    found: dict[tuple[str, str], RepositoryRecord] = {}
    for _ in range(_MAXIMUM_WALKS):
        walk = _walk(_Walk(namespace), limit, ask)
        found.update(walk.records)
        if walk.is_complete or walk.pages == _MAXIMUM_PAGES:
            break
    records = [record for (owner, _), record in sorted(found.items()) if owner == namespace]
    return RepositoryList(
        records, len(walk.unreadable), walk.is_complete, walk.total, walk.received
    )


def _walk(walk: _Walk, limit: int, ask: Callable[[int, int], RepositoryPage]) -> _Walk:
    """Read page after page to the stated end, or to an empty page."""
    offset = 0
    while walk.pages < _MAXIMUM_PAGES:
        page = ask(offset, limit)
        rows, received = len(page.records) + len(page.unreadable), walk.received
        walk.add(page)
        walk.has_ended = rows == 0
        if walk.received == received:
            # The end; or the endpoint ignores the offset.
            break
        # An endpoint that gives fewer than asked for keeps to its own limit: so do we.
        limit = min(limit, rows) if offset == 0 else limit
        offset += limit
        if walk.total is not None and offset >= walk.total:
            break
    return walk
