"""A small registry, served, and a way to call it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import requests

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

TOKEN = "emulator-token"
Get = Callable[..., requests.Response]


@pytest.fixture
def registry() -> Registry:
    """Three repositories in two namespaces, five tags in one of them."""
    small = Registry()
    for day, tag in enumerate(["1.0", "1.1", "2.0", "latest", "edge"], start=1):
        small.push(
            "group", "busybox", tag, f'{{"build": {day}}}', at=datetime(2026, 3, day, 9, tzinfo=UTC)
        )
    small.push("group", "tools/ci/runner", "v1", "{}", at=datetime(2026, 1, 5, tzinfo=UTC))
    small.push("grouped", "nginx", "v1", "{}", at=datetime(2026, 2, 5, tzinfo=UTC))
    return small


@pytest.fixture
def server(registry: Registry) -> Iterator[Emulator]:
    """The small registry as a server."""
    with Emulator(registry) as emulator:
        yield emulator


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session that sends the token and keeps its connection."""
    with requests.Session() as kept:
        kept.headers["X-Auth-Token"] = TOKEN
        yield kept


@pytest.fixture
def get(server: Emulator, session: requests.Session) -> Get:
    """Ask the server for a path."""
    return lambda path, **query: session.get(server.url + path, params=query, timeout=10)
