"""The reading order loses no tag and claims completeness only where it holds."""

import random
import sys
from collections import Counter

import pytest
from moving_list import MovingList, known_from, listed

from pipelines.errors import SwrRefused
from pipelines.swr.paging import (
    CrawlOutcome,
    CrawlStatus,
    Page,
    PageRequest,
    RecordVersion,
    read_repository,
)


def interleave(seed: int) -> CrawlStatus:
    """Read a moving list in full, then incrementally; check both; tell how the first ended."""
    draw = random.Random(seed)
    tags = MovingList(draw, ties=draw.choice([0, 0.3, 0.9]))
    tags.fill(draw.randint(0, 120))
    limit = draw.choice([5, 10, 25])
    churn = draw.choice([0.02, 0.2, 0.5])
    full = read_and_check(tags, limit, churn, {})
    before = tags.loaded(full, {})
    for _ in range(draw.randint(0, 4)):
        tags.change()
    if full.status is CrawlStatus.COMPLETE:
        read_and_check(tags, limit, churn, before)
    return full.status


def read_and_check(
    tags: MovingList, limit: int, churn: float, before: dict[str, RecordVersion]
) -> CrawlOutcome:
    """Read while the list moves: no still tag is lost, and complete means equal to what is live."""
    tags.landed.clear()
    tags.touched.clear()
    at_start = dict(tags.live)
    tags.churn = churn
    known = known_from(before) if before else None
    outcome = tags.run(read_repository(limit, known, tags.land, maximum=50))
    tags.churn = 0
    rows = tags.loaded(outcome, before)
    still = {name: version for name, version in at_start.items() if name not in tags.touched}
    assert {name: rows[name] for name in still} == still
    if outcome.status in (CrawlStatus.COMPLETE, CrawlStatus.UNCHANGED):
        assert rows == tags.live
    return outcome


def test_no_tag_is_lost_and_complete_is_true_under_random_changes() -> None:
    """Whatever is pushed, moved or deleted between any two reads: 3,000 interleavings."""
    ended = Counter(interleave(seed) for seed in range(3000))
    # Both ends must be reached for the draw to mean anything.
    assert set(ended) == {CrawlStatus.COMPLETE, CrawlStatus.INCOMPLETE}


@pytest.mark.soak
def test_no_tag_is_lost_and_complete_is_true_in_a_long_run() -> None:
    """The same for 100,000 interleavings."""
    ended = Counter(interleave(seed) for seed in range(10_000, 110_000))
    sys.stderr.write(f"\n100,000 interleavings, 0 lost, 0 wrongly complete: {dict(ended)}\n")
    assert set(ended) == {CrawlStatus.COMPLETE, CrawlStatus.INCOMPLETE}


def test_a_repository_that_fits_one_page_costs_one_request() -> None:
    """Rows received equal the total: that is everything."""
    tags = MovingList(random.Random(1))
    tags.fill(7)
    outcome = tags.run(read_repository(10, None, tags.land))
    assert tags.requests == [PageRequest(0, 10, newest_first=True)]
    assert outcome == CrawlOutcome(
        status=CrawlStatus.COMPLETE,
        first_walk=1,
        lists_everything=True,
        walks=1,
        pages=1,
        expected=7,
        received=7,
        duplicates=0,
    )


def test_an_empty_repository_is_complete() -> None:
    """Nothing of nothing is everything."""
    tags = MovingList(random.Random(1))
    outcome = tags.run(read_repository(10, None, tags.land))
    assert (outcome.status, outcome.received, len(tags.requests)) == (CrawlStatus.COMPLETE, 0, 1)


def test_a_larger_repository_is_read_backwards_from_its_oldest_end() -> None:
    """Newest page, then oldest-first pages from the last to the first, then the short proof."""
    tags = MovingList(random.Random(1))
    tags.fill(95)
    outcome = tags.run(read_repository(30, None, tags.land))
    assert tags.requests == [
        PageRequest(0, 30, newest_first=True),
        PageRequest(90, 30, newest_first=False),
        PageRequest(60, 30, newest_first=False),
        PageRequest(30, 30, newest_first=False),
        PageRequest(0, 30, newest_first=False),
        PageRequest(0, 20, newest_first=True),
    ]
    assert (outcome.status, outcome.received, outcome.duplicates) == (CrawlStatus.COMPLETE, 95, 50)


def test_a_record_that_did_not_change_is_landed_once() -> None:
    """The newest are received three times and kept once."""
    tags = MovingList(random.Random(1))
    tags.fill(95)
    tags.run(read_repository(30, None, tags.land))
    assert len(tags.landed) == 95


def test_an_unchanged_repository_costs_one_short_request() -> None:
    """Twenty records of five hundred are enough, and nothing is landed."""
    tags = MovingList(random.Random(1))
    tags.fill(500)
    outcome = tags.run(read_repository(1000, known_from(tags.live), tags.land))
    assert tags.requests == [PageRequest(0, 20, newest_first=True)]
    assert (outcome.status, outcome.expected, outcome.received) == (CrawlStatus.UNCHANGED, 500, 20)
    assert tags.landed == []


def test_a_tie_at_the_newest_second_makes_the_short_page_longer() -> None:
    """A page must reach below the tie to prove anything."""
    tags = MovingList(random.Random(1))
    tags.fill(100)
    tags.ties = 1.0
    tags.fill(49)
    outcome = tags.run(read_repository(1000, known_from(tags.live), tags.land))
    assert tags.requests == [PageRequest(0, 51, newest_first=True)]
    assert outcome.status is CrawlStatus.UNCHANGED


def test_a_push_and_a_move_are_found_by_the_short_page_alone() -> None:
    """Names known and new make up the total, so nothing was deleted: only the news is landed."""
    tags = MovingList(random.Random(1))
    tags.fill(500)
    before = dict(tags.live)
    tags.push()
    tags.push("tag-3")
    outcome = tags.run(read_repository(1000, known_from(before), tags.land))
    assert len(tags.requests) == 1
    assert [record.key for _, record in tags.landed] == ["tag-3", "tag-501"]
    assert (outcome.status, outcome.lists_everything) == (CrawlStatus.COMPLETE, False)


def test_a_deletion_makes_an_incremental_reading_read_everything() -> None:
    """The count says one is gone, not which: a full walk follows."""
    tags = MovingList(random.Random(1))
    tags.fill(500)
    before = dict(tags.live)
    tags.delete("tag-250")
    outcome = tags.run(read_repository(1000, known_from(before), tags.land))
    assert tags.requests == [
        PageRequest(0, 20, newest_first=True),
        PageRequest(0, 1000, newest_first=True),
    ]
    assert outcome.lists_everything
    assert tags.loaded(outcome, before) == tags.live


def test_a_clamped_page_is_taken_as_the_limit() -> None:
    """An endpoint that gives 100 of 1000 asked for is read in hundreds."""
    tags = MovingList(random.Random(1), clamp=100)
    tags.fill(250)
    outcome = tags.run(read_repository(1000, None, tags.land))
    assert tags.requests == [
        PageRequest(0, 1000, newest_first=True),
        PageRequest(0, 100, newest_first=True),
        PageRequest(200, 100, newest_first=False),
        PageRequest(100, 100, newest_first=False),
        PageRequest(0, 100, newest_first=False),
        PageRequest(0, 20, newest_first=True),
    ]
    assert (outcome.status, outcome.received, outcome.walks) == (CrawlStatus.COMPLETE, 250, 1)


def test_what_a_clamped_first_page_landed_is_not_loaded() -> None:
    """A tag deleted after the clamped page must not come back through it."""
    tags = MovingList(random.Random(1), clamp=100)
    tags.fill(250)
    reading = read_repository(1000, None, tags.land)
    page = tags.answer(next(reading))
    tags.delete("tag-250")
    outcome = tags.go_on(reading, reading.send(page))
    assert tags.loaded(outcome, {}) == tags.live


def test_without_a_total_two_equal_walks_prove_it() -> None:
    """Newest-first to an empty page, twice."""
    tags = MovingList(random.Random(1), states_total=False)
    tags.fill(25)
    outcome = tags.run(read_repository(10, None, tags.land))
    walk = [PageRequest(offset, 10, newest_first=True) for offset in (0, 10, 20, 30)]
    assert tags.requests == [walk[0], *walk, *walk]
    assert (outcome.status, outcome.expected, outcome.received) == (CrawlStatus.COMPLETE, None, 25)
    assert tags.loaded(outcome, {}) == tags.live


def test_without_a_total_a_list_that_keeps_moving_is_incomplete() -> None:
    """Three walks that all differ prove nothing."""
    tags = MovingList(random.Random(1), states_total=False, churn=0.6)
    tags.fill(60)
    outcome = tags.run(read_repository(10, None, tags.land))
    assert (outcome.status, outcome.lists_everything) == (CrawlStatus.INCOMPLETE, False)


class HidingList(MovingList):
    """Counts a record that it never shows."""

    def answer(self, request: PageRequest) -> Page:
        """Answer as the list does, but for one record."""
        page = super().answer(request)
        return Page([row for row in page.records if row.key != "tag-7"], page.total)


def test_a_total_that_never_fits_is_incomplete_after_three_walks() -> None:
    """A registry that counts a record it never shows is not believed."""
    tags = HidingList(random.Random(1))
    tags.fill(30)
    outcome = tags.run(read_repository(10, None, tags.land))
    assert (outcome.status, outcome.walks) == (CrawlStatus.INCOMPLETE, 3)
    assert set(tags.loaded(outcome, {})) == set(tags.live) - {"tag-7"}


def test_a_tie_larger_than_the_page_is_asked_for_with_larger_pages() -> None:
    """The proof enlarges its page until it reaches below the tie."""
    tags = MovingList(random.Random(1))
    tags.fill(100)
    tags.ties = 1.0
    tags.fill(60)
    outcome = tags.run(read_repository(25, None, tags.land))
    assert [request.limit for request in tags.requests[-2:]] == [25, 1000]
    assert outcome.status is CrawlStatus.COMPLETE


def test_a_refused_page_size_falls_back_to_one_hundred() -> None:
    """The refusal is thrown in; the reading goes on with pages every endpoint accepts."""
    tags = MovingList(random.Random(1))
    tags.fill(150)
    reading = read_repository(1000, None, tags.land)
    next(reading)
    request = reading.throw(SwrRefused("invalid params", request="GET", status=400))
    outcome = tags.go_on(reading, request)
    assert {request.limit for request in tags.requests} == {100, 20}
    assert (outcome.status, outcome.received, outcome.walks) == (CrawlStatus.COMPLETE, 150, 1)


class FixedList(MovingList):
    """Holds one tag and one record whose name is unreadable."""

    def answer(self, request: PageRequest) -> Page:
        """Give both, whatever is asked."""
        del request
        return Page([listed("a", 1, "d1"), listed("#17", 2, "hash")], 2)


def test_a_record_without_a_name_forbids_inferring_deletions() -> None:
    """It might be the very tag that seems gone; the repository still counts as complete."""
    tags = FixedList(random.Random(1))
    outcome = tags.run(read_repository(10, None, tags.land))
    assert (outcome.status, outcome.lists_everything) == (CrawlStatus.COMPLETE, False)
