"""The way to a server: proxies by URL, and how soon it is said that there is none."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
import stamina

from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SwrUnavailable
from pipelines.settings import Settings, read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport

PASSWORD = {
    "username": "emulator-user",
    "password": "emulator-password",
    "domain_name": "emulator-domain",
    "project_name": "cn-north-4",
}


@pytest.fixture
def server() -> Iterator[Emulator]:
    """SWR and IAM, each by a name of its own for one address."""
    registry = Registry()
    registry.push("team", "app", "1", "{}", at=datetime(2026, 3, 1, tzinfo=UTC))
    with Emulator(registry) as running:
        yield running


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy for plain HTTP; gives its address, and the URLs that it was asked for."""
    asked: list[str] = []

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            method, url, rest = _whole(connection).split(b" ", 2)
            asked.append(url.decode())
            _, _, address, path = url.split(b"/", 3)
            port = int(address.rpartition(b":")[2])
            with socket.create_connection(("127.0.0.1", port)) as beyond:
                closing = rest.replace(b"keep-alive", b"close")
                beyond.sendall(b" ".join([method, b"/" + path, closing]))
                while piece := beyond.recv(65536):
                    connection.sendall(piece)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _whole(connection: socket.socket) -> bytes:
    """A request with its body, which may come after its head."""
    request = b""
    while piece := connection.recv(65536):
        request += piece
        head, end, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if end and len(body) >= int(length[1] if length else 0):
            break
    return request


def settings_for(server: Emulator, **more: object) -> Settings:
    """SWR as 127.0.0.1 and IAM as localhost."""
    return read_settings(
        endpoint_setting=server.url,
        iam_endpoint_setting=server.url.replace("127.0.0.1", "localhost"),
        requests_per_second=0,
        **{**PASSWORD, **more},
    )


@pytest.mark.parametrize(
    ("no_proxy", "through"),
    [
        ("127.0.0.1", ["http://localhost/v3/auth/tokens"]),
        ("localhost", ["http://127.0.0.1/v2/manage/namespaces"] * 2),
        ("localhost,127.0.0.1", []),
        ("", ["http://localhost/v3/auth/tokens", *["http://127.0.0.1/v2/manage/namespaces"] * 2]),
    ],
)
def test_the_proxy_is_chosen_for_each_url(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, no_proxy: str, through: list[str]
) -> None:
    """As in the usual network: IAM through it, SWR's endpoint within not, or the reverse."""
    port = server.url.rpartition(":")[2]
    with proxy() as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.setenv("no_proxy", no_proxy)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        with Transport(settings_for(server)) as transport:
            client = client_from(settings_for(server), transport)
            assert [client.namespaces(), client.namespaces()] == [["team"], ["team"]]
    assert [url.replace(f":{port}", "").partition("?")[0] for url in asked] == through


def of_iam(answer: Response) -> Callable[[Request], Response | None]:
    """Something else than IAM answers in its place."""
    return lambda request: answer if request.path == "/v3/auth/tokens" else None


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, {"Content-Type": "text/html"}, b"<html>portal</html>"),
        Response(503, {"Retry-After": "3600"}, b"<html>"),
        Response(502, {}, b""),
        Response(201, {"X-Subject-Token": "t"}, b"{}"),
    ],
    ids=["portal", "busy for an hour", "bad gateway", "no lifetime"],
)
def test_an_iam_that_is_none_is_told_in_seconds(server: Emulator, answer: Response) -> None:
    """It is asked three times at first contact, and what needs its token is not sent."""
    server.fault = of_iam(answer)
    began = time.monotonic()
    with (
        stamina.set_testing(False),
        Transport(settings_for(server)) as transport,
        pytest.raises(SwrUnavailable, match="POST http://localhost"),
    ):
        client_from(settings_for(server), transport).namespaces()
    assert time.monotonic() - began < 8
    assert [entry.path for entry in server.log] == ["/v3/auth/tokens"] * 3


def test_an_iam_that_does_not_answer_is_told_in_seconds(server: Emulator) -> None:
    """However long an answer may take later."""
    server.fault = of_iam(Response(200, {}, b"", delay_seconds=60))
    settings = settings_for(server, timeout_seconds=60)
    began = time.monotonic()
    with (
        stamina.set_testing(False),
        Transport(settings) as transport,
        pytest.raises(SwrUnavailable, match="no whole answer in time"),
    ):
        client_from(settings, transport).namespaces()
    assert time.monotonic() - began < 12
    assert len(server.log) == 1


def test_a_renewal_has_more_patience(server: Emulator) -> None:
    """In the middle of a reading IAM may be away for a while."""
    with Transport(settings_for(server)) as transport:
        client = client_from(settings_for(server), transport)
        assert client.namespaces() == ["team"]
        left = [Response(502)] * 6
        refused = [Response(401)]

        def away(request: Request) -> Response | None:
            if request.path == "/v3/auth/tokens":
                return left.pop() if left else None
            return refused.pop() if refused else None

        server.fault = away
        assert client.repository("team", "app").num_images == 1
    assert (left, refused) == ([], [])


def test_a_failed_renewal_is_not_tried_by_everything_that_waits_for_it(server: Emulator) -> None:
    """Seven attempts, not seven times seven."""
    with Transport(settings_for(server)) as transport:
        client = client_from(settings_for(server), transport)
        assert client.namespaces() == ["team"]
        server.log.clear()
        server.fault = lambda request: Response(502 if request.path == "/v3/auth/tokens" else 401)
        with pytest.raises(SwrUnavailable, match="POST"):
            client.repository("team", "app")
    assert [entry.status for entry in server.log] == [401, *[502] * 7]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("9" * 400, 300.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 300.0),
        ("Fri, 99 Dec 9999 99:99:99 +9999", None),
    ],
)
def test_a_retry_after_is_a_bounded_number_a_date_or_none(
    server: Emulator, header: str, seconds: float | None
) -> None:
    """Whatever the server says."""
    server.fault = lambda _: Response(503, {"Retry-After": header}, b"")
    settings = read_settings(endpoint_setting=server.url, auth_token="emulator-token")
    with Transport(settings) as transport, pytest.raises(SwrUnavailable) as error:
        client_from(settings, transport).repository("team", "app")
    assert error.value.retry_after == seconds
