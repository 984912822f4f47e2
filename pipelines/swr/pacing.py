"""Spaces requests evenly, so many a second, in the order in which threads ask.

Knows time and nothing else. Why no library does this: docs/adr/0005-own-pacer.md.
"""

import threading
import time
from collections.abc import Callable

# How late a busy machine may send a request without pushing back the next one.
_LATE_SECONDS = 0.2


class Pacer:
    """Gives each request its time slot; shared by many threads."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the caller's slot has come."""
        while True:
            now, slot = self._reserve_slot()
            if slot <= now:
                return
            self._sleep(slot - now)
            # After a standstill all waiting threads would go at once: they queue again.
            if self._clock() <= slot + _LATE_SECONDS:
                return

    def _reserve_slot(self) -> tuple[float, float]:
        """Give the present time, and the first free slot, which is then taken."""
        with self._lock:
            now = self._clock()
            slot = max(self._next, now - _LATE_SECONDS)
            self._next = slot + self._interval
            return now, slot
