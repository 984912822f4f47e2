"""The reading order loses no tag and claims completeness only where it holds."""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving_list import EPOCH, MovingList, known_from, listed

from pipelines.errors import SwrRefused
from pipelines.swr.paging import (
    CrawlOutcome,
    CrawlStatus,
    KnownRecords,
    Page,
    PageRequest,
    Reading,
    RecordVersion,
    read_repository,
)

PROVEN = {CrawlStatus.COMPLETE, CrawlStatus.UNCHANGED}


def interleave(seed: int) -> CrawlStatus:
    """Read a moving list in full, then incrementally; check both; tell how the first ended."""
    draw = random.Random(seed)
    tags = MovingList(
        draw, ties=draw.choice([0, 0.3, 0.9, 0.99]), doubled=draw.choice([0, 0, 0.02, 0.2])
    )
    tags.fill(draw.randint(0, 120))
    limit = draw.choice([2, 5, 10, 25])
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
    """Read while the list moves: no still tag is lost, and complete means equal to what is live.

    A list that shows a tag twice can slip a row in below those that stand still, so there a
    tag may be missed, and the reading says so: it is incomplete (ADR 2).
    """
    tags.touched.clear()
    at_start = dict(tags.live)
    outcome, rows = read(tags, limit, churn, before)
    still = {name: version for name, version in at_start.items() if name not in tags.touched}
    if not tags.doubled or outcome.status in PROVEN:
        assert {name: rows.get(name) for name in still} == still
    return outcome


def read(
    tags: MovingList, limit: int, churn: float, before: dict[str, RecordVersion]
) -> tuple[CrawlOutcome, dict[str, RecordVersion]]:
    """Read while the list moves; what a warehouse then holds is what is live if it says so."""
    tags.landed.clear()
    tags.requests.clear()
    tags.churn = churn
    known = known_from(before) if before else None
    outcome = tags.run(read_repository(limit, known, tags.land, maximum=50))
    tags.churn = 0
    rows = tags.loaded(outcome, before)
    if outcome.status in PROVEN:
        assert rows == tags.live
    return outcome, rows


def test_no_tag_is_lost_and_complete_is_true_under_random_changes() -> None:
    """Whatever is pushed, moved or deleted between any two reads: 1,500 interleavings."""
    ended = Counter(interleave(seed) for seed in range(1500))
    # Both ends must be reached for the draw to mean anything.
    assert set(ended) == {CrawlStatus.COMPLETE, CrawlStatus.INCOMPLETE}


def days(seed: int, *, doubled: float = 0, misdated: float = 0) -> Iterator[CrawlStatus]:
    """Read a list day after day, as a warehouse would that knows what it proved, and check."""
    draw = random.Random(seed)
    tags = MovingList(
        draw,
        ties=draw.choice([0, 0.9, 0.99]),
        doubled=doubled * draw.random(),
        misdated=misdated * draw.random(),
    )
    tags.fill(draw.randint(0, 120))
    limit = draw.choice([5, 10, 25])
    rows: dict[str, RecordVersion] = {}
    is_proven = False
    for _ in range(4):
        outcome, rows = read(tags, limit, 0, rows if is_proven else {})
        assert len(tags.requests) <= most_requests(len(tags.in_order(newest_first=True)), limit)
        is_proven = outcome.status in PROVEN
        yield outcome.status
        for _ in range(draw.randint(0, 3)):
            tags.change()
        tags.second += draw.choice([0, 3600])


def most_requests(total: int, limit: int) -> int:
    """One for what is new, three walks and three that teach a lesson, each with its proofs."""
    return 1 + 6 * (-(-total // limit) + 4)


def test_tags_that_are_listed_twice_are_counted_once() -> None:
    """61 rows of 60 tags are not 61 tags, nor 60 once one is deleted: 500 lists, four days."""
    assert_listed_twice_counted_once(500)


@pytest.mark.soak
def test_tags_of_many_lists_that_are_listed_twice_are_counted_once() -> None:
    """The same for 10,000 lists."""
    assert_listed_twice_counted_once(10_000)


def assert_listed_twice_counted_once(lists: int) -> None:
    """Read so many; each way of ending is reached."""
    ended = Counter(status for seed in range(lists) for status in days(seed, doubled=0.05))
    assert set(ended) == {CrawlStatus.COMPLETE, CrawlStatus.UNCHANGED, CrawlStatus.INCOMPLETE}


def test_tags_that_are_dated_ahead_hide_no_change() -> None:
    """They stay on top of the list whatever is pushed below them: 500 lists, four days."""
    assert_dated_ahead_hides_nothing(500)


@pytest.mark.soak
def test_tags_of_many_lists_that_are_dated_ahead_hide_no_change() -> None:
    """The same for 10,000 lists."""
    assert_dated_ahead_hides_nothing(10_000)


def assert_dated_ahead_hides_nothing(lists: int) -> None:
    """Read so many; most of them are read completely."""
    ended = Counter(status for seed in range(lists) for status in days(seed, misdated=0.2))
    assert ended[CrawlStatus.COMPLETE] > ended[CrawlStatus.INCOMPLETE]


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


def test_a_tag_listed_twice_does_not_hide_a_deletion() -> None:
    """Sixty tags in 61 rows, then 59 in 60."""
    tags = MovingList(random.Random(1))
    tags.fill(60)
    tags.doubles["tag-7"] = tags.live["tag-7"]
    outcome, _ = read(tags, 100, 0, {})
    assert (outcome.status, outcome.expected, outcome.received) == (CrawlStatus.INCOMPLETE, 61, 60)
    tags.delete("tag-30")
    outcome, _ = read(tags, 100, 0, {})
    assert (outcome.status, outcome.expected, outcome.received) == (CrawlStatus.INCOMPLETE, 60, 59)


def test_without_a_total_a_list_that_keeps_moving_is_incomplete() -> None:
    """Three walks that all differ prove nothing."""
    tags = MovingList(random.Random(1), states_total=False, churn=0.6)
    tags.fill(60)
    outcome = tags.run(read_repository(10, None, tags.land))
    assert (outcome.status, outcome.lists_everything) == (CrawlStatus.INCOMPLETE, False)


@pytest.mark.parametrize("too_many", [1, 30, 10**12])
def test_a_total_that_promises_what_is_not_there_is_not_met(too_many: int) -> None:
    """All that is there is read; the registry itself says that it is not all."""
    tags = ExaggeratingList(random.Random(1))
    tags.too_many = too_many
    tags.fill(25)
    outcome = tags.run(read_repository(10, None, tags.land))
    assert (outcome.status, outcome.walks) == (CrawlStatus.INCOMPLETE, 3)
    assert (outcome.expected, outcome.received) == (25 + too_many, 25)
    assert tags.loaded(outcome, {}) == tags.live


class ExaggeratingList(MovingList):
    """Counts records that it does not have."""

    too_many = 0

    def answer(self, request: PageRequest) -> Page:
        """Answer as the list does, but for the total."""
        page = super().answer(request)
        return page._replace(total=(page.total or 0) + self.too_many)


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


def tied_list(tags_in_one_second: int, **options: Any) -> MovingList:
    """A list whose newest second is shared by so many tags, below them three older ones."""
    tags = MovingList(random.Random(1), **options)
    tags.fill(3)
    tags.second += 1
    tags.ties = 1.0
    tags.fill(tags_in_one_second)
    tags.ties = 0.0
    return tags


@pytest.mark.parametrize("limit", [100, 1000])
def test_a_second_shared_by_more_tags_than_a_page_holds_is_proven_every_day(limit: int) -> None:
    """Whatever changes later is dated later and heads the list, so a page of the tie will do."""
    tags = tied_list(1500)
    tags.second += 3600
    rows: dict[str, RecordVersion] = {}
    for day in range(4):
        tags.requests.clear()
        tags.landed.clear()
        known = known_from(rows) if rows else None
        outcome = tags.run(read_repository(limit, known, tags.land))
        rows = tags.loaded(outcome, rows)
        assert (outcome.status, rows) == (CrawlStatus.COMPLETE, tags.live)
        assert len(tags.requests) <= most_requests(1503, limit) / 4
        [tags.push, tags.push, lambda: tags.delete("tag-9"), tags.push][day]()


def test_a_second_that_is_not_over_proves_nothing() -> None:
    """Another tag may move into it, to a place that no page shows: then only the count is known."""
    tags = tied_list(1500)
    outcome = tags.run(read_repository(1000, None, tags.land))
    assert (outcome.status, outcome.received) == (CrawlStatus.INCOMPLETE, 1503)


@pytest.mark.parametrize("limit", [100, 1000])
def test_an_endpoint_that_clamps_pages_to_a_tie_is_not_asked_for_ever(limit: int) -> None:
    """A hundred tags in the newest second, pages of a hundred whatever is asked for."""
    tags = tied_list(100, clamp=100)
    outcome = tags.run(read_repository(limit, None, tags.land))
    assert (outcome.status, outcome.received) == (CrawlStatus.INCOMPLETE, 103)
    assert len(tags.requests) <= most_requests(103, 100)
    tags.second += 3600
    assert tags.run(read_repository(limit, None, tags.land)).status is CrawlStatus.COMPLETE


def test_records_dated_ahead_do_not_prove_what_is_new() -> None:
    """Twenty-four of them fill the short page; a move below them must be found by the last."""
    tags = MovingList(random.Random(1), misdated=1.0)
    tags.fill(24)
    tags.misdated = 0.0
    tags.fill(100)
    reading = read_repository(50, None, tags.land, maximum=50)
    request = next(reading)
    for _ in range(4):
        request = reading.send(tags.answer(request))
    tags.push("tag-99")
    outcome = tags.go_on(reading, request)
    assert tags.requests[-1] == PageRequest(0, 50, newest_first=True)
    assert (outcome.status, tags.loaded(outcome, {})) == (CrawlStatus.COMPLETE, tags.live)


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


def test_an_empty_list_that_states_no_total_is_complete() -> None:
    """Whether that is believed of a repository that held tags is for the caller to ask."""
    tags = MovingList(random.Random(1), states_total=False)
    outcome = tags.run(read_repository(10, None, tags.land))
    assert (outcome.status, outcome.expected, outcome.received) == (CrawlStatus.COMPLETE, None, 0)
    assert len(tags.requests) == 3


def drive(reading: Reading, answer: Callable[[PageRequest], Page]) -> tuple[CrawlOutcome, int]:
    """Give a reading whatever pages; how it ended, after how many requests."""
    request = next(reading)
    for number in count(1):
        try:
            request = reading.send(answer(request))
        except StopIteration as end:
            return end.value, number
    raise AssertionError("no list of answers is endless")


@pytest.mark.parametrize("total", [None, 10**15])
def test_a_list_without_an_end_is_left(total: int | None) -> None:
    """A thousand pages of ever new records."""
    numbers = count()

    def answer(request: PageRequest) -> Page:
        rows = [listed(f"tag-{next(numbers)}", 1, "d") for _ in range(request.limit)]
        return Page(rows, total, EPOCH)

    outcome, requests = drive(read_repository(10, None, lambda *_: None), answer)
    assert outcome.status is CrawlStatus.INCOMPLETE
    assert requests <= 1002


def test_an_endpoint_that_ignores_the_offset_is_left() -> None:
    """The same ten records of five thousand: three walks of the newest page and eleven more."""
    rows = [listed(f"tag-{number}", number, "d") for number in range(10)]
    outcome, requests = drive(
        read_repository(10, None, lambda *_: None), lambda _: Page(rows, 5000, EPOCH)
    )
    assert (outcome.status, outcome.received, requests) == (CrawlStatus.INCOMPLETE, 10, 36)


RECORDS = st.lists(
    st.builds(listed, st.sampled_from("abcdefgh"), st.integers(0, 5), st.sampled_from("de")),
    max_size=6,
)
ANSWERS = st.lists(
    st.builds(Page, RECORDS, st.none() | st.integers(0, 12), st.sampled_from([None, EPOCH])),
    min_size=1,
    max_size=12,
)


@given(ANSWERS, st.integers(1, 6), st.integers(1, 12))
def test_whatever_is_answered_reading_ends(answers: list[Page], limit: int, maximum: int) -> None:
    """Totals of up to twelve, pages of any length, and refusals of large ones."""
    pages = cycle(answers)
    smallest = min([limit, *(len(page.records) or limit for page in answers)])
    known = KnownRecords(3, EPOCH, 1, lambda _: {})
    reading = read_repository(limit, known, lambda *_: None, maximum)
    outcome, requests = drive(reading, lambda _: next(pages))
    assert requests <= most_requests(12, smallest)
    if outcome.status in PROVEN and outcome.expected is not None:
        assert outcome.received == outcome.expected
