"""Lists that no emulator holds, read over HTTP: readings end, and complete is true."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from pipelines.emulator.messages import Request, Response, json_response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.settings import read_settings
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.paging import (
    CrawlOutcome,
    CrawlStatus,
    ListedRecord,
    Page,
    RecordVersion,
    read_repository,
)
from pipelines.swr.transport import Transport

PAST = datetime(2026, 3, 1, tzinfo=UTC)
Rows = list[dict[str, Any]]
Answer = Callable[[Request], Response]


def row(name: str, updated: datetime = PAST) -> dict[str, Any]:
    """A tag record with no more than it needs."""
    digest = "sha256:" + name.encode().hex().zfill(64)
    return {"Tag": name, "digest": digest, "updated": f"{updated:%Y-%m-%dT%H:%M:%SZ}"}


def tied(number: int) -> Rows:
    """So many tags of one second."""
    return [row(f"tied-{place:04}") for place in range(number)]


def older(number: int) -> Rows:
    """So many tags, each a day older than the one before."""
    return [row(f"old-{place}", PAST - timedelta(days=1 + place)) for place in range(number)]


def pages_of(rows: Rows, *, clamp: int = 1000, states_total: bool = True) -> Answer:
    """Answer as the tags call does, out of rows as they are; the total counts rows."""

    def answer(request: Request) -> Response:
        asked = request.query
        offset, limit = int(asked["offset"]), min(int(asked["limit"]), clamp)
        is_descending = asked["order_type"] == "desc"
        ordered = sorted(rows, key=lambda row: row["updated"], reverse=is_descending)
        page = ordered[offset : offset + limit]
        header = {"Content-Range": f"{offset}-{len(page)}/{len(rows)}"}
        return json_response(200, page, header if states_total else {})

    return answer


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[Emulator, SwrClient]]:
    """A server that answers so, and a client of it."""
    with Emulator(Registry(), fault=answer) as server:
        settings = read_settings(
            endpoint_setting=server.url, auth_token="emulator-token", requests_per_second=0
        )
        with Transport(settings) as transport:
            yield server, client_from(settings, transport)


def read(answer: Answer, limit: int) -> tuple[CrawlOutcome, dict[str, ListedRecord], int]:
    """Read the list to its end: the outcome, what was landed by name, and the requests it took."""
    landed: dict[str, ListedRecord] = {}

    def land(_: int, page: Page, kept: Sequence[int]) -> None:
        landed.update({page.records[place].key: page.records[place] for place in kept})

    reading = read_repository(limit, None, land)
    with serving(answer) as (server, client):
        request = next(reading)
        try:
            while True:
                request = reading.send(client.tag_page("team", "app", request))
        except StopIteration as end:
            return end.value, landed, len(server.log)


@pytest.mark.parametrize(("limit", "requests"), [(1000, 4), (100, 19)])
def test_fifteen_hundred_tags_of_one_past_second_are_complete(limit: int, requests: int) -> None:
    """The newest page, two or sixteen older ones, and a page of the tie: the largest decides."""
    outcome, landed, asked = read(pages_of(tied(1500) + older(3)), limit)
    assert (outcome.status, outcome.received, len(landed)) == (CrawlStatus.COMPLETE, 1503, 1503)
    assert asked == requests


@pytest.mark.parametrize("limit", [100, 1000])
def test_a_tie_that_fills_clamped_pages_is_complete(limit: int) -> None:
    """The endpoint gives a hundred whatever is asked for."""
    outcome, _, asked = read(pages_of(tied(100) + older(3), clamp=100), limit)
    assert (outcome.status, outcome.received) == (CrawlStatus.COMPLETE, 103)
    assert asked <= 6


@pytest.mark.parametrize("doubled", [1, 30, 60])
def test_a_tag_that_is_listed_twice_is_counted_once(doubled: int) -> None:
    """Sixty tags in 61 rows are all read, and not complete."""
    rows = older(60)
    outcome, landed, asked = read(pages_of([*rows, rows[doubled - 1]]), 25)
    assert (outcome.status, outcome.expected, outcome.received) == (CrawlStatus.INCOMPLETE, 61, 60)
    assert (len(landed), asked <= 3 * 6) == (60, True)


def test_an_endpoint_that_ignores_the_offset_is_left() -> None:
    """With a total of five thousand and without one."""
    first = older(10)
    for total in ("5000", None):
        header = {"Content-Range": f"0-10/{total}"} if total else {}
        outcome, landed, asked = read(lambda _: json_response(200, first, header), 10)  # noqa: B023 - called at once
        assert (outcome.status, len(landed)) == (CrawlStatus.INCOMPLETE, 10)
        assert asked <= 3 * 13


def test_a_list_without_an_end_is_left() -> None:
    """A thousand pages of ever new tags."""
    numbers = count()
    outcome, landed, asked = read(
        lambda _: json_response(200, [row(f"new-{next(numbers)}") for _ in range(2)]), 2
    )
    assert (outcome.status, asked) == (CrawlStatus.INCOMPLETE, 1001)
    assert len(landed) == 2002


@pytest.mark.parametrize("body", [b"", b"null", b"[]"])
@pytest.mark.parametrize(
    ("total", "status", "expected"),
    [
        ("0", CrawlStatus.COMPLETE, 0),
        (None, CrawlStatus.COMPLETE, None),
        ("5", CrawlStatus.INCOMPLETE, 5),
    ],
)
def test_an_empty_list_is_believed_where_its_total_does_not_contradict_it(
    body: bytes, total: str | None, status: CrawlStatus, expected: int | None
) -> None:
    """Nothing and null are empty lists; five tags that are not shown are five tags."""
    header = {"Content-Range": f"0-0/{total}"} if total else {}
    outcome, landed, _ = read(lambda _: Response(200, header, body), 10)
    assert (outcome.status, outcome.expected, outcome.received) == (status, expected, 0)
    assert landed == {}


def test_records_on_top_that_are_dated_ahead_do_not_hide_what_moves_meanwhile() -> None:
    """Thirty of them fill the short page; a tag moves while the older pages are read."""
    ahead = [row(f"ahead-{place}", datetime(2032, 1, 1 + place, tzinfo=UTC)) for place in range(30)]
    rows = ahead + older(100)
    answer = pages_of(rows)
    asked = count()

    def moving(request: Request) -> Response:
        if next(asked) == 4:
            moved = next(row for row in rows if row["Tag"] == "old-7")
            moved["updated"], moved["digest"] = "2026-03-02T00:00:00Z", "sha256:" + "f" * 64
        return answer(request)

    outcome, landed, _ = read(moving, 40)
    assert (outcome.status, outcome.received) == (CrawlStatus.COMPLETE, 130)
    assert landed["old-7"].version == RecordVersion(
        datetime(2026, 3, 2, tzinfo=UTC), "sha256:" + "f" * 64
    )
