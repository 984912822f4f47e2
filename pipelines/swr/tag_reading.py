"""Asks for the pages that the reading order wants, one after the other.

The order is `paging`'s; what becomes of the records is the caller's business.
"""

from collections.abc import Callable, Hashable

from pipelines.errors import SwrPageRefused
from pipelines.swr.limits import Limits
from pipelines.swr.paging import (
    ACCEPTED_LIMIT,
    CrawlOutcome,
    KnownRecords,
    Land,
    Page,
    PageRequest,
    Reading,
    read_repository,
)


def read_tags(
    name: Hashable,
    limits: Limits,
    ask: Callable[[PageRequest], Page],
    land: Land,
    known: KnownRecords | None = None,
) -> CrawlOutcome:
    """Read the tags of one repository.

    Args:
        name: of the repository, by which `limits` knows it.
        limits: page sizes; learns from what is refused.
        ask: gives a page.
        land: receives pages, by the number of the walk, and which of their records to keep.
        known: what the last proven reading knew, for an incremental reading.

    Raises:
        SwrError: a page could not be had.
    """
    page_size, maximum = limits.of(name)
    reading = read_repository(page_size, known, land, maximum)
    try:
        request = next(reading)
        while True:
            request = _answer(reading, request, ask, lambda: limits.refuse(name))
    except StopIteration as end:
        outcome: CrawlOutcome = end.value
        return outcome


def _answer(
    reading: Reading,
    request: PageRequest,
    ask: Callable[[PageRequest], Page],
    refuse: Callable[[], None],
) -> PageRequest:
    """Give the reading what it asks for, or the refusal of a large page; what it wants next."""
    try:
        page = ask(request)
    except SwrPageRefused as refusal:
        if request.limit <= ACCEPTED_LIMIT:
            raise
        refuse()
        return reading.throw(refusal)
    return reading.send(page)
