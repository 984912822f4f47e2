"""The order in which one repository's tags are read, so that none can be lost. Pure: no HTTP.

`read_repository` is a generator: it yields the page it wants next and is sent that page, so the
same code runs against SWR and against a simulated list that changes between any two reads.
Why this order loses nothing is told in docs/adr/0002-reading-order.md; which HTTP request a page
becomes, and what a record holds, is told elsewhere (`client`, `wire`).
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
# A total that takes more pages is none; a list without a total that takes more has no end.
_MAXIMUM_PAGES = 10_000
_MAXIMUM_UNCOUNTED_PAGES = 1000
# An endpoint that gives one page so many times more ignores the offset.
_MAXIMUM_REPEATED_PAGES = 10
# A record dated later than this after the answer is misdated: it stays on top of the list
# whatever changes, so it tells nothing of what is new.
_CLOCK_TOLERANCE = timedelta(minutes=1)


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


class PageRequest(NamedTuple):
    """A page to ask for."""

    offset: int
    limit: int
    newest_first: bool


class Page(NamedTuple):
    """A page received: its records in order, the registry's total if it was stated, and when.

    `sent_at` is the registry's own time, None where it is not known; `body` the JSON array itself.
    """

    records: Sequence[ListedRecord]
    total: int | None
    sent_at: datetime | None = None
    body: bytes = b""

    @property
    def keys(self) -> set[str]:
        """The distinct records: a tag that is listed twice counts once."""
        return {record.key for record in self.records}


@dataclass(frozen=True)
class KnownRecords:
    """What the last proven reading knew: how many records, and how new the newest were.

    Give none of a repository that holds a record without a date: it could hide a change.
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


# Takes the number of the walk, a page, and the positions of those of its records to keep.
Land = Callable[[int, Page, Sequence[int]], None]
Reading = Generator[PageRequest, Page, CrawlOutcome]
_Pages = Generator[PageRequest, Page, None]


class _LowerLimit(Exception):
    """The endpoint gave fewer records than it has and was asked for: its limit is lower."""

    def __init__(self, limit: int) -> None:
        self.limit = limit


class _NoTotal(Exception):
    """The total is not stated or promises records that are not there: counting proves nothing."""


class _NotProven(Exception):
    """This walk cannot prove that it saw everything."""


class _NoEnd(Exception):
    """The list goes on beyond what a list without a total can hold."""


@dataclass
class _Walk:
    """The records one walk has read so far.

    `lists_twice`: a record came twice on one page, or in an older version after a newer one, so
    the registry lists tags more than once and its total does not count tags.
    """

    number: int
    land: Land
    seen: dict[str, RecordVersion] = field(default_factory=dict)
    pages: int = 0
    rows: int = 0
    total: int | None = None
    lists_twice: bool = False

    def add(self, page: Page) -> None:
        """Count a page and land those of its records that are not known in that version."""
        self.pages += 1
        self.rows += len(page.records)
        self.total = self.total if page.total is None else page.total
        self.lists_twice |= len(page.keys) < len(page.records)
        records = enumerate(page.records)
        if fresh := [place for place, record in records if self._is_new_version(record)]:
            self.land(self.number, page, fresh)

    def _is_new_version(self, record: ListedRecord) -> bool:
        before = self.seen.get(record.key)
        if before == record.version:
            return False
        if before is not None and _is_older(record.version, before):
            self.lists_twice = True
            return False
        self.seen[record.key] = record.version
        return True

    def outcome(self, status: CrawlStatus, walks: int, pages_before: int) -> CrawlOutcome:
        """Sum up, after `pages_before` pages of earlier walks."""
        complete = status is CrawlStatus.COMPLETE
        return CrawlOutcome(
            status=status,
            first_walk=self.number if complete else 1,
            lists_everything=complete and all(map(_is_name, self.seen)),
            walks=walks,
            pages=pages_before + self.pages,
            expected=self.total,
            received=len(self.seen),
            duplicates=self.rows - len(self.seen),
        )


def read_repository(
    limit: int, known: KnownRecords | None, land: Land, maximum: int = MAXIMUM_LIMIT
) -> Reading:
    """Read one repository: yield page requests, be sent pages, return the outcome.

    A page refused for its size is reported by throwing SwrRefused in; smaller ones are asked for
    then. Requests are bounded: one for what is new, then three walks, and one more for each of
    three things that can be learned of an endpoint; a walk takes as many pages as the stated
    total needs and four more.

    Args:
        limit: page size to ask for.
        known: what the last proven reading knew, for an incremental reading; None reads all.
        land: receives walk numbers, pages and which records to keep; walk 0 is the incremental
            reading.
        maximum: the largest page the endpoint accepts.
    """
    pages = 0
    if known is not None:
        try:
            outcome = yield from _read_changes(limit, known, land)
            pages = 1
        except SwrRefused:
            outcome = None
        if outcome is not None:
            return outcome
    return (yield from _walk_until_proven(limit, maximum, land, pages))


def _read_changes(
    limit: int, known: KnownRecords, land: Land
) -> Generator[PageRequest, Page, CrawlOutcome | None]:
    """Ask for the newest records only; None if that does not prove what is live."""
    page = yield PageRequest(0, min(limit, _short_limit(known.tied)), newest_first=True)
    keys = page.keys
    before = known.lookup(keys)
    records = page.records
    changed = [at for at, record in enumerate(records) if before.get(record.key) != record.version]
    holds_all = len(keys) == page.total
    nothing_gone = known.count + len(keys - before.keys()) == page.total
    reaches_known = _shows_what_is_new(page, known) and _reaches_below(page, known.newest, before)
    if not holds_all and not (nothing_gone and reaches_known):
        return None
    is_changed = bool(changed) or not nothing_gone
    if is_changed:
        land(0, page, range(len(records)) if holds_all else changed)
    return CrawlOutcome(
        status=CrawlStatus.COMPLETE if is_changed else CrawlStatus.UNCHANGED,
        first_walk=0,
        lists_everything=is_changed and holds_all and all(map(_is_name, keys)),
        walks=1,
        pages=1,
        expected=page.total,
        received=len(keys),
        duplicates=len(page.records) - len(keys),
    )


def _shows_what_is_new(page: Page, known: KnownRecords) -> bool:
    """Whether tags are listed once, by dates that can be true: else the newest need not be new."""
    is_distinct = len(page.keys) == len(page.records)
    dates = [known.newest, *(record.version.updated for record in page.records)]
    return is_distinct and all(_is_dated(date, page.sent_at) for date in dates)


def _walk_until_proven(limit: int, maximum: int, land: Land, pages: int) -> Reading:
    """Walk through the whole repository, three times at most, until one walk proves complete.

    A walk that ends with something learned of the endpoint is not counted, once for each kind.
    """
    counts, previous, walks = True, None, 0
    learned: set[type[Exception]] = set()
    for number in count(1):
        walk = _Walk(number, land)
        walks += 1
        try:
            if counts:
                yield from _walk_counting(walk, limit, maximum)
                return walk.outcome(CrawlStatus.COMPLETE, walks, pages)
            yield from _walk_to_empty_page(walk, limit)
            if walk.seen == previous and walk.total in {None, len(walk.seen)}:
                return walk.outcome(CrawlStatus.COMPLETE, walks, pages)
            previous = walk.seen
        except (_LowerLimit, _NoTotal, SwrRefused) as lesson:
            walks -= type(lesson) not in learned
            learned.add(type(lesson))
            counts = counts and not isinstance(lesson, _NoTotal)
            if isinstance(lesson, SwrRefused):
                maximum = ACCEPTED_LIMIT
            limit = min(limit, lesson.limit if isinstance(lesson, _LowerLimit) else maximum)
        except _NotProven:
            previous = None
        except _NoEnd:
            break
        if walks == MAXIMUM_WALKS:
            break
        pages += walk.pages
    return walk.outcome(CrawlStatus.INCOMPLETE, walks, pages)


def _walk_counting(walk: _Walk, limit: int, maximum: int) -> _Pages:
    """Newest page, then oldest-first pages from the last to the first, then the proof."""
    first = yield from _counted_page(walk, PageRequest(0, limit, newest_first=True), limit)
    if len(first.keys) == first.total:
        return
    overlap = yield from _older_pages(walk, first.total or 0, limit)
    last = yield from _newest_again(walk, first, limit, maximum)
    if len(walk.seen) != last.total or walk.lists_twice:
        raise _NotProven
    if overlap and _may_hold_deleted(walk, first, last):
        raise _NotProven


def _older_pages(walk: _Walk, total: int, limit: int) -> Generator[PageRequest, Page, bool]:
    """Read oldest-first pages, the last one first; whether any record came on two of them."""
    last_page = (total - 1) // limit
    if last_page >= _MAXIMUM_PAGES:
        raise _NoTotal
    read: set[str] = set()
    before: set[str] = set()
    overlap = False
    repeated = 0
    for index in range(last_page, -1, -1):
        request = PageRequest(index * limit, limit, newest_first=False)
        keys = (yield from _counted_page(walk, request, limit)).keys
        # Once, the list may have moved by a whole page.
        repeated = repeated + 1 if keys and keys == before else 0
        if repeated == _MAXIMUM_REPEATED_PAGES:
            raise _NotProven
        overlap = overlap or not keys.isdisjoint(read)
        read |= keys
        before = keys
    return overlap


def _may_hold_deleted(walk: _Walk, first: Page, last: Page) -> bool:
    """Whether something was deleted during a walk, to judge by the totals at its ends.

    A record that comes on two pages either moved down because another went, or is listed twice.
    In the second case the total is one too high, which hides that a record of the walk is gone.
    """
    newest = _newest(first)
    before = {record.key: record.version for record in first.records}
    changed = sum(
        before.get(key) != version and not _is_before(version.updated, newest)
        for key, version in walk.seen.items()
    )
    return (first.total or 0) + changed > (last.total or 0)


def _newest_again(
    walk: _Walk, first: Page, limit: int, maximum: int
) -> Generator[PageRequest, Page, Page]:
    """Ask for the newest again: a page that holds all that changed since `first`.

    It does if it reaches below the newest of `first`. Where more records than any page holds
    share that moment, it is enough to reach them if the moment is past, for what changes later is
    dated later.
    """
    newest = _newest(first)
    tied = sum(_same_second(r.version.updated, newest) for r in first.records)
    for size in sorted({min(limit, _short_limit(tied)), limit, max(limit, maximum)}):
        request = PageRequest(0, size, newest_first=True)
        last = yield from _counted_page(walk, request, min(size, limit))
        if len(last.keys) == last.total or _reaches_below(last, newest):
            return last
        reaches = any(record.version.updated == newest for record in last.records)
        if size >= maximum and reaches and _is_past(newest, first.sent_at):
            return last
    raise _NotProven


def _counted_page(
    walk: _Walk, request: PageRequest, least: int
) -> Generator[PageRequest, Page, Page]:
    """Ask for a page that states the total and holds at least so many records, if there are."""
    page = yield request
    walk.add(page)
    if page.total is None:
        raise _NoTotal
    if len(page.records) < min(least, page.total - request.offset):
        if not page.records:
            raise _NoTotal
        raise _LowerLimit(len(page.records))
    return page


def _walk_to_empty_page(walk: _Walk, limit: int) -> _Pages:
    """Newest-first pages to an empty one; the first tells the limit that the endpoint keeps to."""
    offset = 0
    for _ in range(_MAXIMUM_UNCOUNTED_PAGES):
        known = len(walk.seen)
        page = yield PageRequest(offset, limit, newest_first=True)
        walk.add(page)
        if not page.records:
            return
        if len(walk.seen) == known:
            # The endpoint ignores the offset, or the list moved by a whole page.
            raise _NotProven
        limit = min(limit, len(page.records)) if offset == 0 else limit
        offset += limit
    raise _NoEnd


def _newest(page: Page) -> datetime | None:
    """When the newest record of a page was updated; misdated ones do not count."""
    dates = (record.version.updated for record in page.records)
    return max((date for date in dates if date and _is_dated(date, page.sent_at)), default=None)


def _is_dated(updated: datetime | None, sent_at: datetime | None) -> bool:
    """Whether a date is one that can be true at the time of an answer."""
    return updated is not None and (sent_at is None or updated <= sent_at + _CLOCK_TOLERANCE)


def _is_past(moment: datetime | None, sent_at: datetime | None) -> bool:
    """Whether nothing that changes after an answer can be dated at a moment."""
    return moment is not None and sent_at is not None and moment < sent_at - _CLOCK_TOLERANCE


def _is_before(updated: datetime | None, moment: datetime | None) -> bool:
    return updated is not None and moment is not None and updated < moment


def _reaches_below(
    page: Page, newest: datetime | None, unchanged: Mapping[str, RecordVersion] | None = None
) -> bool:
    """Whether a page reaches a record strictly older than `newest`.

    With `unchanged`, only records that still have the version given there count.
    """
    return any(
        _is_before(record.version.updated, newest)
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
