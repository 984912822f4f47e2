"""An answer is waited for as a whole, not byte by byte: over plain sockets and over TLS."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import stamina
import trustme

from pipelines.emulator.messages import Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SwrUnavailable
from pipelines.settings import Settings, read_settings
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport

BODY = b'{"namespaces":[{"name":"team"}]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PAUSE = 0.02
# Much more than a pause: a busy machine may be late with a byte.
TIMEOUT = 0.3


def sized(body: bytes) -> bytes:
    """The rest of an answer whose length is announced."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def chunked(body: bytes) -> bytes:
    """The same in chunks of one byte."""
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def to_the_end(body: bytes) -> bytes:
    """The same without its length: it ends with the connection."""
    return b"Connection: close\r\n\r\n" + body


def endless_head(body: bytes) -> bytes:
    """A head that goes on and on."""
    del body
    return b"X-Filler: " + b"x" * 60_000


@contextmanager
def dripping(answer: bytes, at_once: int, context: ssl.SSLContext | None) -> Iterator[str]:
    """A server that sends so many bytes at once and then one at a time, each after a pause."""
    stopping = threading.Event()

    def serve(connection: socket.socket) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(connection, server_side=True) if context else connection as safe,
        ):
            safe.recv(65536)
            safe.sendall(answer[:at_once])
            for place in range(at_once, len(answer)):
                if stopping.wait(PAUSE):
                    return
                safe.sendall(answer[place : place + 1])

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],)).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        scheme = "https" if context else "http"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def settings_for(url: str, **more: object) -> Settings:
    """Settings with short timeouts."""
    return read_settings(endpoint_setting=url, auth_token="t", timeout_seconds=TIMEOUT, **more)


def namespaces(settings: Settings) -> list[str]:
    """Ask for the list of namespaces, once."""
    with stamina.set_testing(True, attempts=1), Transport(settings) as transport:
        return client_from(settings, transport).namespaces()


@pytest.mark.parametrize("rest", [sized, chunked, to_the_end, endless_head])
def test_a_byte_now_and_then_is_not_waited_for_without_end(
    rest: Callable[[bytes], bytes],
) -> None:
    """Five times the timeout, then it counts as one: in head and body alike."""
    answer = HEAD + rest(BODY * 100)
    with dripping(answer, len(HEAD), None) as url:
        begun = time.monotonic()
        with pytest.raises(SwrUnavailable, match="in time; see SWR_TIMEOUT_SECONDS"):
            namespaces(settings_for(url))
        took = time.monotonic() - begun
    assert took < 5 * TIMEOUT + 3


def test_tls_makes_no_difference(tmp_path: Path) -> None:
    """The deadline is kept below it."""
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with (
        dripping(HEAD + sized(BODY * 100), len(HEAD), context) as url,
        pytest.raises(SwrUnavailable, match="in time; see SWR_TIMEOUT_SECONDS"),
    ):
        namespaces(settings_for(url, ca_bundle=bundle))


def test_a_slow_answer_that_comes_in_time_is_taken() -> None:
    """Its last thirty bytes take twice as long as one read may."""
    answer = HEAD + sized(BODY)
    with dripping(answer, len(answer) - 30, None) as url:
        assert namespaces(settings_for(url)) == ["team"]


@pytest.mark.parametrize("ahead", [-7200, 0, 5400])
def test_the_registry_s_clock_is_compared_with_ours(ahead: int) -> None:
    """By the `Date` of its last answer, to about a second."""
    registry = Registry()
    registry.push("team", "app", "1", "{}", at=datetime(2026, 3, 1, tzinfo=UTC))

    def dated() -> Response:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
        return Response(200, {"Date": date}, BODY)

    with Emulator(registry, fault=lambda _: dated()) as server:
        settings = read_settings(endpoint_setting=server.url, auth_token="emulator-token")
        with Transport(settings) as transport:
            assert transport.clock_offset_seconds is None
            client_from(settings, transport).namespaces()
            assert transport.clock_offset_seconds is not None
            assert abs(transport.clock_offset_seconds - ahead) <= 2


@pytest.mark.parametrize("date", [{"Date": ""}, {"Date": "yesterday"}])
def test_without_a_date_no_clock_is_compared(date: dict[str, str]) -> None:
    """Nor does one that is none cost the answer."""
    with Emulator(Registry(), fault=lambda _: Response(200, date, BODY)) as server:
        settings = read_settings(endpoint_setting=server.url, auth_token="emulator-token")
        with Transport(settings) as transport:
            assert client_from(settings, transport).namespaces() == ["team"]
            assert transport.clock_offset_seconds is None
