"""When a request may be sent: evenly, so many a second, in the order in which threads ask.

Knows time and nothing else. Why no library does this is told in docs/adr/0005-own-pacer.md.
"""

import threading
import time
from collections.abc import Callable

# How far a busy machine may fall behind and still make up for it.
_LATE_SECONDS = 0.2


class Pacer:
    """Hands out slots in time; shared by many threads."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._apart = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the caller's slot has come."""
        while True:
            now, slot = self._take_slot()
            if slot <= now:
                return
            self._sleep(slot - now)
            # After a standstill all who slept through it would go at once: they queue again.
            if self._clock() <= slot + _LATE_SECONDS:
                return

    def _take_slot(self) -> tuple[float, float]:
        """Now, and the first slot that nobody has."""
        with self._lock:
            now = self._clock()
            slot = max(self._next, now - _LATE_SECONDS)
            self._next = slot + self._apart
            return now, slot
