"""Ends answers that take too long as a whole.

A timeout waits for the next byte, so an answer that comes a byte at a time never meets it. Knows
connections and time, nothing of what is asked.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import dup
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

_here = threading.local()


@dataclass(eq=False)
class Answer:
    """An answer that is waited for; `is_late` once it was ended."""

    ends: float
    sock: socket.socket | None = None
    is_late: bool = False

    def end(self) -> None:
        """Let every read from the connection find its end, in whichever thread it waits."""
        self.is_late = True
        if self.sock is None:
            return
        # A copy of the descriptor: an SSL socket's own shutdown is not safe while it is read from.
        with suppress(OSError), socket.socket(fileno=dup(self.sock.fileno())) as copy:
            copy.shutdown(socket.SHUT_RDWR)


class Deadlines:
    """Watches the answers that threads wait for; close it when done."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waited_for: set[Answer] = set()
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        threading.Thread(target=self._watch, name="deadlines", daemon=True).start()

    def close(self) -> None:
        """Watch no longer."""
        self._is_closed.set()

    @contextmanager
    def one_answer(self) -> Iterator[Answer]:
        """Give the calling thread's next answer its time."""
        answer = _here.answer = Answer(time.monotonic() + self._seconds)
        with self._lock:
            self._waited_for.add(answer)
        try:
            yield answer
        finally:
            with self._lock:
                self._waited_for.discard(answer)

    def _watch(self) -> None:
        while not self._is_closed.wait(min(1.0, self._seconds / 5)):
            now = time.monotonic()
            with self._lock:
                for answer in self._waited_for:
                    if answer.ends <= now:
                        answer.end()


class DeadlineAdapter(HTTPAdapter):
    """An adapter whose connections can be ended while an answer is waited for."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make connections of our own kind."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> ProxyManager:
        """Make connections of our own kind through a proxy too."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Connection(HTTPConnection):
    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override] # as urllib3 has it
        # Now: a connection forgets its socket where the answer is its last.
        _here.answer.sock = self.sock
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override] # as urllib3 has it
        _here.answer.sock = self.sock
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}
