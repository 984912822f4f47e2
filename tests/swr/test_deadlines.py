"""An answer has its time as a whole, however steadily its bytes come."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import stamina

from pipelines.errors import SwrUnavailable
from pipelines.settings import read_settings
from pipelines.swr.responses import Response
from pipelines.swr.transport import AuthFlow, Transport, prepare_request

TIMEOUT = 0.2
# Five times the timeout, and a fifth of that until it is noticed, on a machine that is busy.
AT_MOST = 3.0
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
DRIPS = {
    "headers": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "a body of stated length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"["),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n[\r\n"),
    "a body without a length": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"["),
}


@contextmanager
def answering(*answers: tuple[bytes, bytes]) -> Iterator[str]:
    """Answer each connection with a beginning and then, for ever, with one more piece at a time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_all, args=(listener, answers))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def answer_all(listener: socket.socket, answers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Answer one connection after the other."""
    for begin, piece in answers:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(begin)
            while piece:
                time.sleep(TIMEOUT / 4)
                connection.sendall(piece)


def as_it_is(request: requests.PreparedRequest) -> AuthFlow:
    """Send a request without credentials."""
    yield request


def body(response: Response) -> bytes:
    """What was answered."""
    return response.content


def fetch(transport: Transport, url: str, attempts: int) -> bytes:
    """Ask for a body, so many times."""
    with stamina.set_testing(True, attempts=attempts):
        return transport.fetch(prepare_request("GET", url, {}), as_it_is, body)


def transport_to(url: str) -> Transport:
    """A transport that waits a fifth of a second for each byte."""
    return Transport(read_settings(endpoint_setting=url, timeout_seconds=TIMEOUT))


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS.keys())
def test_an_answer_that_comes_a_byte_at_a_time_is_ended(drip: tuple[bytes, bytes]) -> None:
    """Wherever it drips; also where its end is the connection's end, so that it looks whole."""
    with answering(drip) as url, transport_to(url) as transport:
        begun = time.monotonic()
        with pytest.raises(SwrUnavailable, match="did not end in time; see SWR_TIMEOUT_SECONDS"):
            fetch(transport, url, attempts=1)
        assert 5 * TIMEOUT <= time.monotonic() - begun < AT_MOST


def test_an_answer_that_was_ended_is_asked_for_again() -> None:
    """Like one that never came."""
    with answering(DRIPS["chunks"], (WHOLE, b"")) as url, transport_to(url) as transport:
        assert fetch(transport, url, attempts=2) == b"[]"
        assert transport.counters.retries == 1


def test_an_answer_that_takes_longer_than_a_byte_may_is_whole() -> None:
    """Two bytes, each a while after the last."""
    begin = WHOLE[:-2]
    with answering((begin, b"[")) as url, transport_to(url) as transport:
        assert fetch(transport, url, attempts=1) == b"[["


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=-2)])
def test_the_servers_clock_is_compared_with_ours(ahead: timedelta) -> None:
    """By the `Date` of the last answer, which is to the second."""
    date = format_datetime(datetime.now(UTC) + ahead, usegmt=True).encode()
    whole = WHOLE.replace(b"\r\n", b"\r\nDate: " + date + b"\r\n", 1)
    with answering((whole, b"")) as url, transport_to(url) as transport:
        fetch(transport, url, attempts=1)
        assert transport.clock_offset_seconds == pytest.approx(ahead.total_seconds(), abs=5)


@pytest.mark.parametrize("header", [b"", b"Date: yesterday\r\n"])
def test_without_a_date_no_clock_is_compared(header: bytes) -> None:
    """Nor does one that is none cost the answer."""
    whole = WHOLE.replace(b"\r\n", b"\r\n" + header, 1)
    with answering((whole, b"")) as url, transport_to(url) as transport:
        assert fetch(transport, url, attempts=1) == b"[]"
        assert transport.clock_offset_seconds is None
