"""Lets one thread at a time hold an answer that is large, whatever the concurrency.

Small answers never wait. Knows sizes and threads, nothing of HTTP (`transport`).
"""

import threading
import time


class LargeAnswers:
    """The right to hold more than `small` bytes: one thread's, from `admit` to `release`."""

    def __init__(self, small: int) -> None:
        self._small = small
        self._lock = threading.Lock()
        self._holder: int | None = None

    def admit(self, size: int) -> float:
        """Return when the calling thread may hold so many bytes: after how many seconds."""
        thread = threading.get_ident()
        if size <= self._small or self._holder == thread:
            return 0.0
        began = time.monotonic()
        self._lock.acquire()
        self._holder = thread
        return time.monotonic() - began

    def release(self) -> None:
        """Give back the right, if the calling thread has it."""
        if self._holder == threading.get_ident():
            self._holder = None
            self._lock.release()
