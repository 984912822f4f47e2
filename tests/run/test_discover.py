"""A scope is globs of names; what is outside it is counted, never taken for gone."""

import threading
from datetime import UTC, datetime

import pytest

from pipelines.emulator.messages import Request
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.run.discover import discover
from pipelines.run.request import Scope
from pipelines.settings import read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport


@pytest.mark.parametrize(
    ("namespaces", "repositories", "name", "is_in"),
    [
        ((), (), ("team", "app"), True),
        (("team",), (), ("team", "app"), True),
        (("team",), (), ("team-b", "app"), False),
        (("team*",), (), ("team-b", "app"), True),
        (("team*", "!team-b"), (), ("team-b", "app"), False),
        (("!team-b",), (), ("team", "app"), True),
        (("!team-b",), (), ("team-b", "app"), False),
        ((), ("team/app",), ("team", "app"), True),
        ((), ("team/app",), ("team", "app2"), False),
        ((), ("team/*",), ("team", "deep/er/app"), True),
        ((), ("*/app",), ("team", "deep/er/app"), True),
        ((), ("*/app",), ("team", "apple"), False),
        ((), ("*er/app",), ("team", "deep/er/app"), True),
        ((), ("t?am/app",), ("team", "app"), True),
        ((), ("team*",), ("team2", "app"), True),
        ((), ("team*",), ("te", "am"), False),
        ((), ("!team/app",), ("team", "app"), False),
        ((), ("!team/app",), ("team", "other"), True),
        (("team",), ("*/app",), ("other", "app"), False),
        (("Team",), (), ("team", "app"), False),
    ],
)
def test_globs_choose_and_exclude(
    namespaces: tuple[str, ...], repositories: tuple[str, ...], name: tuple[str, str], is_in: bool
) -> None:
    """Exclusions win; a star crosses slashes; case matters."""
    assert Scope(namespaces, repositories).has_repository(*name) is is_in


def test_a_repository_named_outright_needs_its_namespace_only() -> None:
    """So that no other namespace has to be listed."""
    scope = Scope(repositories=("team/app", "!team/app/old"))
    assert [name for name in ("team", "team2", "other") if scope.has_namespace(name)] == ["team"]


def test_namespaces_are_listed_at_the_same_time_and_kept_in_order() -> None:
    """The registry answers neither list before it was asked for both."""
    registry = Registry()
    for namespace in ("beta", "alpha"):
        registry.push(namespace, "app", "1", "{}", at=datetime(2026, 3, 1, tzinfo=UTC))
    both = threading.Barrier(2, timeout=10)

    def hold_lists(request: Request) -> None:
        if request.path == "/v2/manage/repos":
            both.wait()

    with Emulator(registry) as server:
        server.fault = hold_lists
        settings = read_settings(endpoint_setting=server.url, auth_token="emulator-token")
        with Transport(settings) as transport:
            found = discover(client_from(settings, transport), Scope(), [], threads=2)
    assert list(found.listed) == [("alpha", "app"), ("beta", "app")]
    assert not found.failed_namespaces
