"""Spaces requests evenly, so many a second, in the order in which they ask.

Knows time and a file in which processes tell each other of it, and nothing else. Why no library
does this: docs/adr/0005-own-pacer.md.
"""

import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from filelock import FileLock

# How late a busy machine may send a request without pushing back the next one.
_LATE_SECONDS = 0.2
# When the machine was started, as Unix time, and the first free slot, in seconds since then.
_RECORD = struct.Struct("<dd")
# By so much two processes may differ on when the machine was started.
_START_SECONDS = 1


class Slots(Protocol):
    """Who may send when: each slot is taken once."""

    def take(self, now: float, interval: float) -> float:
        """Take the first free slot that is not too long ago; the next is an interval later."""


class OwnSlots:
    """Slots of this process alone, for many threads."""

    def __init__(self, first: float | None = None) -> None:
        """Begin with this slot, or with the moment that somebody first asks at."""
        self._next = first
        self._lock = threading.Lock()

    def take(self, now: float, interval: float) -> float:
        """Take the first free slot that is not too long ago."""
        with self._lock:
            slot = _first_free(self._next, now)
            self._next = slot + interval
            return slot


class SharedSlots:
    """Slots of all processes of this machine that name the same file.

    Of what another machine or an earlier start of this one wrote nothing is believed. Where the
    file cannot be written, slots are this process's own.
    """

    def __init__(self, path: Path) -> None:
        """Use this file, and one beside it that is locked."""
        self._path = path
        self._lock = FileLock(f"{path}.lock", mode=0o600, thread_local=False)
        self._threads = threading.Lock()
        self._own = OwnSlots()
        self._is_shared = True

    def take(self, now: float, interval: float) -> float:
        """Take the first free slot that is not too long ago."""
        with self._threads:
            if self._is_shared:
                try:
                    return self._take(now, interval)
                except (OSError, NotImplementedError):  # the latter where there are no locks
                    self._is_shared = False
        return self._own.take(now, interval)

    def _take(self, now: float, interval: float) -> float:
        with self._lock:
            # Both clocks at once, not `now`: who asks may have waited since.
            started = time.time() - time.monotonic()
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                slot = _first_free(_told(os.read(handle, _RECORD.size), started), now)
                os.lseek(handle, 0, os.SEEK_SET)
                os.write(handle, _RECORD.pack(started, slot + interval))
            finally:
                os.close(handle)
        return slot


def _told(record: bytes, started: float) -> float | None:
    """The first free slot that a process of this machine told; None if none did."""
    if len(record) != _RECORD.size:
        return None
    told_start, slot = _RECORD.unpack(record)
    return slot if abs(told_start - started) < _START_SECONDS else None


def _first_free(slot: float | None, now: float) -> float:
    return now if slot is None else max(slot, now - _LATE_SECONDS)


class Pacer:
    """Gives each request its time slot; shared by many threads."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        slots: Slots | None = None,
    ) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._slots = slots or OwnSlots(clock())

    def wait(self) -> None:
        """Return when the caller's slot has come."""
        while True:
            now = self._clock()
            slot = self._slots.take(now, self._interval)
            if slot <= now:
                return
            self._sleep(slot - now)
            # After a standstill all waiting threads would go at once: they queue again.
            if self._clock() <= slot + _LATE_SECONDS:
                return
