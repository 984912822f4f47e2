"""The time of one run: later than every moment that earlier runs stored, and never backwards.

A machine's clock may be set back between two runs or during one. Histories are made of these
moments, so none may lie before one that is stored already.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_TOLERATED_SECONDS = 3600
_TICK = timedelta(microseconds=1)


class _Machine:
    """The machine's clock, as far as runs read it."""

    ahead = timedelta(0)


def present() -> datetime:
    """The time that runs go by: the machine's, unless it is turned."""
    return datetime.now(UTC) + _Machine.ahead


@contextmanager
def turned_to(moment: datetime) -> Iterator[None]:
    """Have every run of this process begin at a moment, from which time goes on: for a history.

    What is dated otherwise stays so: requests, logins, the log.
    """
    before, _Machine.ahead = _Machine.ahead, moment - datetime.now(UTC)
    try:
        yield
    finally:
        _Machine.ahead = before


class RunClock:
    """The time of a run that begins now.

    `as_of` is when it began; `set_back_seconds` how far the machine's clock stood before the
    latest stored moment, None where it did not.
    """

    def __init__(self, latest: datetime | None) -> None:
        """Begin a run; `latest` is the latest moment that earlier runs stored, None without any."""
        begun = present()
        self._ahead = max(latest + _TICK - begun, timedelta(0)) if latest else timedelta(0)
        self.as_of = self._last = begun + self._ahead
        self.set_back_seconds = self._ahead.total_seconds() or None
        self._lock = threading.Lock()

    def go_on_from(self, moment: datetime) -> None:
        """Give no moment before this one, which is stored already."""
        with self._lock:
            self._last = max(self._last, moment)

    def now(self) -> datetime:
        """The present, never before what an earlier call returned; from any thread."""
        with self._lock:
            self._last = max(present() + self._ahead, self._last)
            return self._last


def set_back_warning(seconds: float | None) -> str | None:
    """What to say of a clock that stands before what earlier runs stored."""
    if seconds is None:
        return None
    return (
        f"This machine's clock stands {timedelta(seconds=seconds)} before the last run: this run"
        " is dated just after it. Set the clock right."
    )


def offset_warning(seconds: float | None) -> str | None:
    """What to say of a clock that differs from the registry's by more than an hour."""
    if seconds is None or abs(seconds) <= _TOLERATED_SECONDS:
        return None
    side = "behind" if seconds > 0 else "ahead of"
    return (
        f"This machine's clock is {timedelta(seconds=abs(round(seconds)))} {side} the registry's:"
        " ages and dates of this run are off by that. Set the clock right."
    )
