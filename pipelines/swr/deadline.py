"""An HTTP adapter whose answers have to arrive whole in time, and may have any lawful head.

The timeout of `requests` is for each read: a byte now and then would be waited for without end.
`http.client` takes an interim answer other than 100 for the final one, and bears 100 headers.
"""

import io
import socket
import time
from http.client import HTTPResponse, IncompleteRead, LineTooLong, RemoteDisconnected
from typing import Any, BinaryIO

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# An answer as a whole may take so many times what one read may.
READ_TIMEOUTS = 5
_MOST_HEADERS = 90
_LONGEST_HEADER = 60 * 2**10
_LARGEST_HEAD = 2**20
# Those that decide how an answer is read, and those that we read.
_NEEDED_HEADERS = {
    *(b"connection", b"content-encoding", b"content-length", b"content-range", b"content-type"),
    *(b"date", b"retry-after", b"transfer-encoding", b"x-request-id", b"x-subject-token"),
}


class _TimedReader(io.RawIOBase):
    """Reads an answer from a socket until its time is over."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        self._timeout = timeout
        self.deadline = time.monotonic() + READ_TIMEOUTS * timeout

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there; wait for it no longer than there is time.

        Raises:
            TimeoutError: the time is over.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not arrive whole in time")
        self._connection.settimeout(min(left, self._timeout))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer whose time begins when it is waited for."""

    reader: _TimedReader | None = None

    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        if (timeout := sock.gettimeout()) is not None:
            self.fp.close()
            self.reader = _TimedReader(sock, timeout)
            self.fp = io.BufferedReader(self.reader)

    def begin(self) -> None:
        """Read the head of the final answer."""
        if self.headers is not None:
            return
        body: Any = self.fp
        named: Any = self
        named.fp = io.BytesIO(_final_head(body))
        try:
            super().begin()
        finally:
            self.fp = body

    def _safe_read(self, amt: int) -> bytes:
        """Read a chunk; one of negative size would be all that ever comes."""
        if amt < 0:
            raise IncompleteRead(b"")
        whole: bytes = super()._safe_read(amt)  # type: ignore[misc] # typeshed lacks it
        return whole


def _final_head(stream: BinaryIO) -> bytes:
    """The first head that is of no interim answer, with as many headers as can be borne."""
    left = _LARGEST_HEAD
    while True:
        lines = [stream.readline(_LONGEST_HEADER)]
        if not lines[0].startswith(b"HTTP/"):
            return lines[0]
        while (line := stream.readline(left)) not in (b"\r\n", b"\n"):
            left -= len(line)
            if not line:
                raise RemoteDisconnected("the head broke off")
            if left <= 0:
                raise LineTooLong("head")
            lines.append(line)
        if not _is_interim(lines[0]):
            return b"".join([lines[0], *_bearable(lines[1:]), b"\r\n"])


def _is_interim(status_line: bytes) -> bool:
    status = status_line.split()[1:2]
    return bool(status) and status[0].startswith(b"1") and status != [b"101"]


def _bearable(lines: list[bytes]) -> list[bytes]:
    """Headers without those that are too long; where they are many, only the needed ones."""
    are_many = len(lines) > _MOST_HEADERS
    if not are_many and all(len(line) < _LONGEST_HEADER for line in lines):
        return lines
    kept: list[bytes] = []
    is_kept = False
    for line in lines:
        # A line that begins with a blank goes on with the header before.
        if not line[:1].isspace():
            name = line.partition(b":")[0].strip().lower()
            is_kept = name in _NEEDED_HEADERS or not are_many
        if is_kept and len(line) < _LONGEST_HEADER and len(kept) < _MOST_HEADERS:
            kept.append(line)
    return kept


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SafeConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


_POOLS = {"http": _Pool, "https": _SafePool}


def grant(response: requests.Response, seconds: float) -> None:
    """Give an answer more time, since it was not read for so long."""
    timed = response.raw._original_response  # noqa: SLF001 - the only way to it
    if isinstance(timed, _TimedResponse) and timed.reader:
        timed.reader.deadline += seconds


class DeadlineAdapter(HTTPAdapter):
    """Raises a timeout for an answer that takes five times the timeout of one read."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Have direct connections keep to the deadline."""
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **named: Any) -> Any:
        """Have connections through a proxy keep to the deadline."""
        manager = super().proxy_manager_for(*args, **named)
        manager.pool_classes_by_scheme = _POOLS
        return manager
