"""The order in which one repository's tags are read, so that none can be lost. Pure: no HTTP.

`read_repository` is a generator: it yields the page it wants next and is sent that page, so the
same code runs against SWR and against a simulated list that changes between any two reads.
Why this order loses nothing is told in docs/adr/0002-reading-order.md; which HTTP request a page
becomes, and what a record holds, is told elsewhere (`client`, `wire`).
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import NamedTuple

from pipelines.errors import SwrRefused

# The API's own maximum; a request for more is refused.
MAXIMUM_LIMIT = 1000
# What every endpoint accepts, to fall back to when it refuses larger pages.
ACCEPTED_LIMIT = 100
# Asking an unchanged repository for this many records keeps its answer small.
SHORT_LIMIT = 20
MAXIMUM_WALKS = 3


class CrawlStatus(StrEnum):
    """How the reading of one repository ended; the values of `ingest.crawls.status`."""

    COMPLETE = "complete"
    UNCHANGED = "unchanged"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    MISSING = "missing"


class RecordVersion(NamedTuple):
    """What tells one state of a record from another: when it was updated, and what it says."""

    updated: datetime | None
    fingerprint: str


class ListedRecord(NamedTuple):
    """One record of a page. `key` is the tag's name, or starts with # where that is unreadable."""

    key: str
    version: RecordVersion
    raw: bytes


class PageRequest(NamedTuple):
    """A page to ask for."""

    offset: int
    limit: int
    newest_first: bool


class Page(NamedTuple):
    """A page received: its records in order, and the registry's total if it was stated."""

    records: Sequence[ListedRecord]
    total: int | None


@dataclass(frozen=True)
class KnownRecords:
    """What the last proven reading knew: how many records, and how new the newest were.

    `tied` counts the records updated in the same second as the newest; `lookup` gives the known
    version of those among the given keys that are known.
    """

    count: int
    newest: datetime | None
    tied: int
    lookup: Callable[[Collection[str]], Mapping[str, RecordVersion]]


@dataclass(frozen=True)
class CrawlOutcome:
    """How the reading ended. Records landed by walks from `first_walk` on are to be loaded.

    `lists_everything` says whether these are all the registry holds, so that a tag not among them
    is gone; `received` and `duplicates` count the last walk's records.
    """

    status: CrawlStatus
    first_walk: int
    lists_everything: bool
    walks: int
    pages: int
    expected: int | None
    received: int
    duplicates: int


Land = Callable[[int, Sequence[ListedRecord]], None]
Asking = Generator[PageRequest, Page, None]
Reading = Generator[PageRequest, Page, CrawlOutcome]


class _ShortPage(Exception):
    """The endpoint gave fewer records than it has and was asked for: its limit is lower."""

    def __init__(self, limit: int) -> None:
        self.limit = limit


class _NoTotal(Exception):
    """The total is not stated or makes no sense, so that counting proves nothing."""


class _Unprovable(Exception):
    """This walk cannot prove that it saw everything."""


@dataclass
class _Walk:
    """The records one walk has read so far."""

    number: int
    land: Land
    seen: dict[str, RecordVersion] = field(default_factory=dict)
    pages: int = 0
    rows: int = 0
    total: int | None = None

    def add(self, page: Page) -> None:
        """Count a page and land those of its records that say something new."""
        self.pages += 1
        self.rows += len(page.records)
        self.total = page.total
        if fresh := [record for record in page.records if self._is_news(record)]:
            self.land(self.number, fresh)

    def _is_news(self, record: ListedRecord) -> bool:
        before = self.seen.get(record.key)
        if before == record.version or (before is not None and _is_older(record.version, before)):
            return False
        self.seen[record.key] = record.version
        return True

    def outcome(self, status: CrawlStatus, tries: int, pages_before: int) -> CrawlOutcome:
        """Sum up, after `pages_before` pages of earlier walks."""
        complete = status is CrawlStatus.COMPLETE
        return CrawlOutcome(
            status=status,
            first_walk=self.number if complete else 1,
            lists_everything=complete and all(map(_is_name, self.seen)),
            walks=tries,
            pages=pages_before + self.pages,
            expected=self.total,
            received=len(self.seen),
            duplicates=self.rows - len(self.seen),
        )


def read_repository(
    limit: int, known: KnownRecords | None, land: Land, maximum: int = MAXIMUM_LIMIT
) -> Reading:
    """Read one repository: yield page requests, be sent pages, return the outcome.

    A page refused for its size is told by throwing SwrRefused in; smaller ones are asked for then.

    Args:
        limit: page size to ask for.
        known: what the last proven reading knew, for an incremental reading; None reads all.
        land: receives walk numbers and records to keep; 0 is the incremental reading.
        maximum: the largest page the endpoint accepts.
    """
    pages = 0
    if known is not None:
        try:
            outcome = yield from _read_news(limit, known, land)
            pages = 1
        except SwrRefused:
            outcome = None
        if outcome is not None:
            return outcome
    return (yield from _walk_until_proven(limit, maximum, land, pages))


def _read_news(
    limit: int, known: KnownRecords, land: Land
) -> Generator[PageRequest, Page, CrawlOutcome | None]:
    """Ask for the newest records only; None if that does not prove what is live."""
    page = yield PageRequest(0, min(limit, _short_limit(known.tied)), newest_first=True)
    if page.total is None:
        return None
    before = known.lookup([record.key for record in page.records])
    news = [record for record in page.records if before.get(record.key) != record.version]
    new_names = len({record.key for record in page.records if record.key not in before})
    holds_all = len(page.records) == page.total
    nothing_gone = known.count + new_names == page.total
    if not holds_all and not (nothing_gone and _reaches_below(page, known.newest, before)):
        return None
    changed = bool(news) or not nothing_gone
    if changed:
        land(0, page.records if holds_all else news)
    distinct = {record.key for record in page.records}
    return CrawlOutcome(
        status=CrawlStatus.COMPLETE if changed else CrawlStatus.UNCHANGED,
        first_walk=0,
        lists_everything=changed and holds_all and all(map(_is_name, distinct)),
        walks=1,
        pages=1,
        expected=page.total,
        received=len(distinct),
        duplicates=len(page.records) - len(distinct),
    )


def _walk_until_proven(limit: int, maximum: int, land: Land, pages: int) -> Reading:
    """Walk through the whole repository, three times at most, until one walk proves complete."""
    asked = limit
    counts = True
    previous: dict[str, RecordVersion] | None = None
    tries = 0
    for number in count(1):
        walk = _Walk(number, land)
        tries += 1
        try:
            if counts:
                yield from _walk_counting(walk, limit, maximum)
                return walk.outcome(CrawlStatus.COMPLETE, tries, pages)
            yield from _walk_to_empty_page(walk, limit)
            if walk.seen == previous:
                return walk.outcome(CrawlStatus.COMPLETE, tries, pages)
            previous = walk.seen
        except _ShortPage as short:
            # Learning the endpoint's own limit is no failed try; being cut short again is.
            tries -= limit == asked
            limit = short.limit
        except _NoTotal:
            counts = False
            tries -= 1
        except SwrRefused:
            maximum = ACCEPTED_LIMIT
            limit = min(limit, maximum)
            tries -= 1
        except _Unprovable:
            previous = None
        if tries == MAXIMUM_WALKS:
            break
        pages += walk.pages
    return walk.outcome(CrawlStatus.INCOMPLETE, tries, pages)


def _walk_counting(walk: _Walk, limit: int, maximum: int) -> Asking:
    """Newest page, then oldest-first pages from the last to the first, then the proof."""
    first = yield from _counted_page(walk, PageRequest(0, limit, newest_first=True))
    total = first.total or 0
    if len(first.records) == total:
        return
    for index in range((total - 1) // limit, -1, -1):
        yield from _counted_page(walk, PageRequest(index * limit, limit, newest_first=False))
    yield from _prove(walk, first, limit, maximum)


def _prove(walk: _Walk, first: Page, limit: int, maximum: int) -> Asking:
    """Ask for the newest again: all that changed since `first` is in it, or nothing is proven."""
    newest = max((r.version.updated for r in first.records if r.version.updated), default=None)
    tied = sum(_same_second(r.version.updated, newest) for r in first.records)
    for size in sorted({min(limit, _short_limit(tied)), limit, maximum}):
        last = yield from _counted_page(walk, PageRequest(0, size, newest_first=True))
        if len(last.records) == last.total or _reaches_below(last, newest):
            break
    else:
        raise _Unprovable
    if len(walk.seen) != last.total:
        raise _Unprovable


def _counted_page(walk: _Walk, request: PageRequest) -> Generator[PageRequest, Page, Page]:
    """Ask for a page that states the total and holds as many records as it should."""
    page = yield request
    walk.add(page)
    if page.total is None:
        raise _NoTotal
    if len(page.records) < min(request.limit, page.total - request.offset):
        if not page.records:
            # The total promises what is not there: it is as good as none.
            raise _NoTotal
        raise _ShortPage(len(page.records))
    return page


def _walk_to_empty_page(walk: _Walk, limit: int) -> Asking:
    """Newest-first pages to an empty one; the first tells the limit that the endpoint keeps to."""
    page = yield PageRequest(0, limit, newest_first=True)
    step = min(limit, len(page.records))
    offset = 0
    while page.records:
        known = len(walk.seen)
        walk.add(page)
        if len(walk.seen) == known:
            # The endpoint ignores the offset, or the list moved by a whole page.
            raise _Unprovable
        offset += step
        page = yield PageRequest(offset, step, newest_first=True)


def _reaches_below(
    page: Page, newest: datetime | None, unchanged: Mapping[str, RecordVersion] | None = None
) -> bool:
    """Tell whether a page reaches a record strictly older than `newest`.

    With `unchanged`, only records that still have the version given there count.
    """
    return newest is not None and any(
        record.version.updated is not None
        and record.version.updated < newest
        and (unchanged is None or unchanged.get(record.key) == record.version)
        for record in page.records
    )


def _short_limit(tied: int) -> int:
    """Records to ask for so that a page of the newest reaches below a tie of that many."""
    return max(SHORT_LIMIT, tied + 1)


def _is_name(key: str) -> bool:
    return not key.startswith("#")


def _is_older(version: RecordVersion, than: RecordVersion) -> bool:
    return version.updated is None or (than.updated is not None and version.updated < than.updated)


def _same_second(updated: datetime | None, newest: datetime | None) -> bool:
    return (
        updated is not None
        and newest is not None
        and updated.replace(microsecond=0) == newest.replace(microsecond=0)
    )
