"""Three ways to be let in, and what happens when they stop working."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.emulator.messages import Request, Response, gateway_error
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SettingsError, SwrForbidden, SwrUnauthenticated
from pipelines.settings import read_settings
from pipelines.swr import responses
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.credentials import credentials_from
from pipelines.swr.transport import Transport, prepare_request

PASSWORD = {
    "username": "emulator-user",
    "password": "emulator-password",
    "domain_name": "emulator-domain",
    "project_name": "cn-north-4",
}
PERMANENT = {"access_key": "STANDINKEY", "secret_key": "emulator-secret-key"}
TEMPORARY = {
    "access_key": "STANDINTEMPORARYKEY",
    "secret_key": "emulator-temporary-secret",
    "security_token": "emulator-security-token",
}


@pytest.fixture
def registry() -> Registry:
    """One repository."""
    registry = Registry()
    registry.push("team", "deep/app", "1", "{}", at=datetime(2026, 3, 1, tzinfo=UTC))
    return registry


@contextmanager
def connected(server: Emulator, **credentials: Any) -> Iterator[SwrClient]:
    """A client with these credentials."""
    settings = read_settings(
        endpoint_setting=server.url,
        iam_endpoint_setting=server.url,
        requests_per_second=0,
        **credentials,
    )
    with Transport(settings) as transport:
        yield client_from(settings, transport)


def tokens_issued(server: Emulator) -> int:
    """Successful calls to IAM."""
    return sum(entry.path == "/v3/auth/tokens" and entry.status == 201 for entry in server.log)


@pytest.mark.parametrize(
    "credentials",
    [{"auth_token": "emulator-token"}, PASSWORD, PERMANENT, TEMPORARY],
    ids=["token", "password", "permanent key", "temporary key"],
)
def test_every_way_is_accepted(registry: Registry, credentials: dict[str, str]) -> None:
    """For lists and for pages of a repository with a slash in its name."""
    with Emulator(registry) as server, connected(server, **credentials) as client:
        assert client.namespaces() == ["team"]
        assert client.repository("team", "deep/app").num_images == 1
        assert client.tag_page_with("team", "deep/app", {"tag": "1 |::$%"}).records == []
        assert {entry.status for entry in server.log} <= {200, 201}


@pytest.mark.parametrize("status", [200, 201, 203])
def test_iam_may_mark_its_bytes_and_succeed_as_it_likes(registry: Registry, status: int) -> None:
    """A byte-order mark is skipped, any success is one; an error is understood with it too."""
    with Emulator(registry) as server, connected(server, **PASSWORD) as client:
        server.faults = [
            lambda request, response: replace(
                response,
                status=status if request.path == "/v3/auth/tokens" else response.status,
                body=b"\xef\xbb\xbf" + response.body,
            )
        ]
        assert client.namespaces() == ["team"]
        assert client.domain_id
        server.fault = lambda _: gateway_error(403, "APIGW.0307", "no")
        with pytest.raises(SwrForbidden, match=r"no \(status 403, code APIGW\.0307"):
            client.namespaces()


def test_a_project_id_is_sent_and_signed(registry: Registry) -> None:
    """As the official client does."""
    with Emulator(registry) as server:
        seen: list[Request] = []
        server.fault = seen.append
        with connected(server, **PERMANENT, project_id="proj0123") as client:
            client.namespaces()
        assert seen[0].headers["x-project-id"] == "proj0123"
        assert "x-project-id" in seen[0].headers["authorization"]


def test_a_token_is_fetched_once_and_shared_by_all_threads(registry: Registry) -> None:
    """However many ask at the same moment."""
    with Emulator(registry) as server, connected(server, **PASSWORD) as client:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.namespaces(), range(40)))
        assert tokens_issued(server) == 1


def test_a_refused_token_is_renewed_once_for_all_threads(registry: Registry) -> None:
    """Voided in the middle of a crawl: eight refusals, one renewal."""
    with Emulator(registry) as server, connected(server, **PASSWORD) as client:
        client.namespaces()
        voided = current_token(server, client)
        barrier = threading.Barrier(8)

        def refuse(request: Request) -> Response | None:
            if request.headers.get("x-auth-token") != voided:
                return None
            barrier.wait(5)
            return gateway_error(401, "APIGW.0307", "The token must be updated.")

        server.fault = refuse
        with ThreadPoolExecutor(8) as pool:
            names = list(pool.map(lambda _: client.namespaces(), range(8)))
        assert names == [["team"]] * 8
        assert tokens_issued(server) == 2


def current_token(server: Emulator, client: SwrClient) -> str:
    """The token a client sends."""
    seen: list[str] = []
    server.fault = lambda request: seen.append(request.headers["x-auth-token"])
    client.namespaces()
    server.fault = None
    return seen[0]


def test_a_token_issued_after_its_refusal_and_refused_too_ends_it(registry: Registry) -> None:
    """One renewal, not a loop."""
    with Emulator(registry) as server, connected(server, **PASSWORD) as client:
        server.fault = lambda request: (
            gateway_error(401, "APIGW.0301", "Incorrect IAM authentication information")
            if request.path != "/v3/auth/tokens"
            else None
        )
        with pytest.raises(SwrUnauthenticated, match=r"APIGW\.0301"):
            client.namespaces()
        assert [entry.path for entry in server.log] == [
            "/v3/auth/tokens",
            "/v2/manage/namespaces",
            "/v3/auth/tokens",
            "/v2/manage/namespaces",
        ]


def test_a_token_is_renewed_before_it_expires(registry: Registry) -> None:
    """A tenth of a short life ahead of time, so no request is refused."""
    with Emulator(registry, token_lifetime_seconds=0.2) as server:
        with connected(server, **PASSWORD) as client:
            for _ in range(30):
                client.namespaces()
                threading.Event().wait(0.02)
        assert tokens_issued(server) >= 3
        assert {entry.status for entry in server.log} == {200, 201}


@pytest.mark.parametrize(
    ("credentials", "requests"),
    [
        ({"auth_token": "wrong"}, 1),
        (PERMANENT | {"secret_key": "wrong"}, 1),
        (TEMPORARY | {"security_token": "wrong"}, 1),
        (PASSWORD | {"password": "wrong"}, 1),
    ],
    ids=["token", "signature", "security token", "password"],
)
def test_what_cannot_be_renewed_is_refused_at_once(
    registry: Registry, credentials: dict[str, str], requests: int
) -> None:
    """A signature failure locks the key if repeated: it is never sent again."""
    with Emulator(registry) as server, connected(server, **credentials) as client:
        with pytest.raises(SwrUnauthenticated) as error:
            client.namespaces()
        assert len(server.log) == requests
        assert "wrong" not in str(error.value).replace("username or password is wrong", "")


def test_a_wrong_password_names_the_settings_to_check(registry: Registry) -> None:
    """All four of them."""
    wrong = PASSWORD | {"domain_name": "elsewhere"}
    with (
        Emulator(registry) as server,
        connected(server, **wrong) as client,
        pytest.raises(SwrUnauthenticated, match="check SWR_USERNAME, SWR_PASSWORD"),
    ):
        client.namespaces()


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        ({}, "No credentials: set SWR_AUTH_TOKEN"),
        ({"username": "u"}, "also need SWR_PASSWORD and SWR_DOMAIN_NAME"),
        (
            {"username": "u", "password": "p", "domain_name": "d"},
            "also need SWR_PROJECT_NAME, or SWR_REGION",
        ),
        ({"access_key": "AK"}, "also need HUAWEICLOUD_SDK_SK"),
        ({"secret_key": "SK"}, "also need HUAWEICLOUD_SDK_AK"),
    ],
)
def test_half_a_credential_is_named(credentials: dict[str, str], told: str) -> None:
    """With what is missing."""
    settings = read_settings(endpoint_setting="http://127.0.0.1:1", **credentials)
    with Transport(settings) as transport, pytest.raises(SettingsError, match=told):
        client_from(settings, transport)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: Response(201, {}, b"{}"),
        lambda: Response(201, {"X-Subject-Token": "t"}, b"<html>"),
        lambda: Response(200, {}, b'{"token": {}}'),
    ],
)
def test_iam_without_a_token_is_an_error(
    registry: Registry, answer: Callable[[], Response]
) -> None:
    """And is retried like any broken answer."""
    with Emulator(registry) as server, connected(server, **PASSWORD) as client:
        server.fault = lambda request: answer() if request.path == "/v3/auth/tokens" else None
        with pytest.raises(Exception, match="IAM answered without a token"):
            client.namespaces()


@pytest.mark.parametrize("credentials", [{"auth_token": "emulator-token"}, PASSWORD, TEMPORARY])
def test_credentials_are_not_shown_by_repr(registry: Registry, credentials: dict[str, str]) -> None:
    """Neither theirs, nor that of the responses that carry issued ones."""
    received: list[responses.Response] = []
    with Emulator(registry) as server:
        settings = read_settings(
            endpoint_setting=server.url, iam_endpoint_setting=server.url, **credentials
        )
        with Transport(settings) as transport:
            them = credentials_from(settings, transport)
            request = prepare_request(
                "GET", f"{server.url}/v2/manage/namespaces", {"Content-Type": "application/json"}
            )
            transport.fetch(request, them.flow, received.append)
    path = "/v2/manage/namespaces"
    assert repr(received) == f"[<Response 200 to GET {server.url}{path}>]"
    shown = repr([them, getattr(them, "_token", None) if credentials is PASSWORD else None])
    assert not [secret for secret in credentials.values() if secret in shown]
    assert not [value for value in request.headers.values() if value in shown]
