"""Lets one thread at a time hold an answer that is large, whatever the concurrency.

Small answers never wait. Knows sizes and threads, nothing of HTTP (`transport`).
"""

import threading


class LargeAnswers:
    """The right to hold more than `small` bytes: one thread's, from `admit` to `release`."""

    def __init__(self, small: int) -> None:
        self._small = small
        self._lock = threading.Lock()
        self._holder: int | None = None

    def admit(self, size: int) -> None:
        """Return when the calling thread may hold so many bytes."""
        thread = threading.get_ident()
        if size > self._small and self._holder != thread:
            self._lock.acquire()
            self._holder = thread

    def release(self) -> None:
        """Give back the right, if the calling thread has it."""
        if self._holder == threading.get_ident():
            self._holder = None
            self._lock.release()
