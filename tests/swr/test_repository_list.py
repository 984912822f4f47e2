"""The repository list is read to its end, whatever that is, and held against its own total."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.emulator.faults import page_size_refused
from pipelines.emulator.messages import Request, Response, json_response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.settings import read_settings
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.repository_list import (
    RepositoryList,
    RepositoryPage,
    read_repository_list,
)
from pipelines.swr.transport import Transport
from pipelines.swr.wire import RepositoryRecord

AT = datetime(2026, 3, 1, tzinfo=UTC)
APPS = [f"app{number}" for number in range(7)]


@pytest.fixture
def server() -> Iterator[Emulator]:
    """Seven repositories in `team`, one in `team2`."""
    registry = Registry()
    for name in APPS:
        registry.push("team", name, "1", "{}", at=AT)
    registry.push("team2", "x", "1", "{}", at=AT)
    with Emulator(registry) as running:
        yield running


@pytest.fixture
def client(server: Emulator) -> Iterator[SwrClient]:
    """A client of it."""
    settings = read_settings(
        endpoint_setting=server.url, auth_token="emulator-token", requests_per_second=0
    )
    with Transport(settings) as transport:
        yield client_from(settings, transport)


def told(listing: RepositoryList) -> tuple[list[str], bool, int | None, int]:
    """Names, whether these are all, the total and how many distinct records were received."""
    names = [record.name for record in listing.records]
    return names, listing.is_complete, listing.total, listing.received


def offsets(server: Emulator) -> list[int]:
    """The offsets asked for."""
    return [int(entry.query["offset"]) for entry in server.log]


def rows_of(server: Emulator, request: Request) -> list[Any]:
    """The rows that the emulator would answer with."""
    rows: list[Any] = json.loads(server.answer(request).body)
    return rows


def test_the_list_is_counted_before_other_namespaces_are_left_out(client: SwrClient) -> None:
    """The API's filter is fuzzy and its total counts what it lets through."""
    assert told(client.repositories("team")) == (APPS, True, 8, 8)


def test_pages_smaller_than_asked_for_are_the_endpoints_own(
    client: SwrClient, server: Emulator
) -> None:
    """The list is read on in pages of that size."""

    def clamp(request: Request) -> Response:
        rows = rows_of(server, request)[:3]
        header = f"{request.query['offset']}-{len(rows)}/8"
        return json_response(200, rows, {"Content-Range": header})

    server.fault = clamp
    assert told(client.repositories("team")) == (APPS, True, 8, 8)
    assert offsets(server) == [0, 3, 6]


def test_large_pages_that_are_refused_are_asked_for_smaller() -> None:
    """In hundreds then."""
    registry = Registry()
    for number in range(120):
        registry.push("team", f"app{number:03}", "1", "{}", at=AT)
    with Emulator(registry, faults=[page_size_refused(100)]) as server:
        settings = read_settings(
            endpoint_setting=server.url, auth_token="emulator-token", requests_per_second=0
        )
        with Transport(settings) as transport:
            listing = client_from(settings, transport).repositories("team")
        limits = [entry.query["limit"] for entry in server.log]
    assert told(listing) == ([f"app{n:03}" for n in range(120)], True, 120, 120)
    assert limits == ["1000", "100", "100"]


def test_a_list_that_is_cut_short_of_its_total_is_not_complete(
    client: SwrClient, server: Emulator
) -> None:
    """Each row says that there are eight; five come, then none, three times over."""

    def cut(request: Request) -> Response:
        return json_response(200, rows_of(server, request)[: 5 - int(request.query["offset"])])

    server.fault = cut
    assert told(client.repositories("team")) == (APPS[:5], False, 8, 5)
    assert offsets(server) == [0, 5] * 3


def test_of_two_totals_the_larger_counts(client: SwrClient, server: Emulator) -> None:
    """A header of five beside rows that say eight."""

    def cut(request: Request) -> Response:
        rows = rows_of(server, request)[: 5 - int(request.query["offset"])]
        return json_response(200, rows, {"Content-Range": f"0-{len(rows)}/{len(rows)}"})

    server.fault = cut
    assert told(client.repositories("team")) == (APPS[:5], False, 8, 5)


def test_a_list_without_a_total_ends_with_an_empty_page(
    client: SwrClient, server: Emulator
) -> None:
    """A `total_range` of 0 beside rows is none either."""

    def without_totals(request: Request) -> Response:
        rows = [row | {"total_range": 0} for row in rows_of(server, request)]
        return json_response(200, rows)

    server.fault = without_totals
    assert told(client.repositories("team")) == (APPS, True, None, 8)
    assert offsets(server) == [0, 8]


@pytest.mark.parametrize("total", [None, 20])
def test_an_endpoint_that_ignores_the_offset_is_not_asked_for_ever(
    client: SwrClient, server: Emulator, total: int | None
) -> None:
    """A page that brings nothing new is the last of its walk, and what it holds may not be all."""

    def same(request: Request) -> Response:
        rows = json.loads(server.answer(Request("GET", FIRST_PAGE, request.headers)).body)
        return json_response(200, [row | {"total_range": total} for row in rows])

    server.fault = same
    assert told(client.repositories("team")) == (APPS, False, total, 8)
    assert len(server.log) == 6


FIRST_PAGE = "/v2/manage/repos?namespace=team&offset=0&limit=100&order_column=name&order_type=asc"


@pytest.mark.parametrize("total", [None, 10**12])
def test_a_list_without_an_end_is_not_complete(total: int | None) -> None:
    """A thousand pages, then it is left."""
    numbers = count()

    def ask(_offset: int, limit: int) -> RepositoryPage:
        return RepositoryPage(
            [RepositoryRecord(f"app{next(numbers)}", "team") for _ in range(limit)], [], total
        )

    listing = read_repository_list("team", 10, ask)
    assert (listing.is_complete, listing.received, next(numbers)) == (False, 10_000, 10_000)


PAGES = st.lists(
    st.builds(
        RepositoryPage,
        st.lists(
            st.builds(RepositoryRecord, st.sampled_from("abcdef"), st.sampled_from(["t", "u"])),
            max_size=4,
        ),
        st.lists(st.sampled_from([b"1", b"2"]), max_size=2),
        st.none() | st.integers(0, 9),
    ),
    min_size=1,
)


@given(PAGES)
def test_whatever_is_answered_reading_ends_and_complete_means_as_many_as_stated(
    pages: list[RepositoryPage],
) -> None:
    """Distinct records are counted: at most twelve readable ones, two others, in three walks."""
    asked: list[tuple[int, int]] = []

    def ask(offset: int, limit: int) -> RepositoryPage:
        asked.append((offset, limit))
        return pages[len(asked) % len(pages)]

    listing = read_repository_list("t", 3, ask)
    assert len(asked) <= 3 * (12 + 2 + 1)
    assert all(offset % limit == 0 for offset, limit in asked)
    assert {record.namespace for record in listing.records} <= {"t"}
    if listing.is_complete and listing.total is not None:
        assert listing.received >= listing.total
