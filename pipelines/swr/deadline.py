"""An HTTP adapter whose answers have to arrive whole in time, head and body together.

The timeout of `requests` is for each read: a byte now and then would be waited for without end.
"""

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# An answer as a whole may take so many times what one read may.
READ_TIMEOUTS = 5


class _TimedReader(io.RawIOBase):
    """Reads an answer from a socket until its time is over."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        self._timeout = timeout
        self._deadline = time.monotonic() + READ_TIMEOUTS * timeout

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there; wait for it no longer than there is time.

        Raises:
            TimeoutError: the time is over.
        """
        left = self._deadline - time.monotonic()
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

    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        if (timeout := sock.gettimeout()) is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_TimedReader(sock, timeout))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SafeConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


_POOLS = {"http": _Pool, "https": _SafePool}


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
