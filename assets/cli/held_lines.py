"""Holds back what Dagster prints of its own store, where a sentence of ours says the same.

Dagster writes a line for each event that it cannot store, past all loggers and filters.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any, TextIO, cast

from pipelines.errors import SwrWarehouseError

# `_EventListenerLogHandler` of dagster._core.instance.types; each is one call of `write`.
_BEGINNING = "Exception while writing logger call to event log: "


class _Holding:
    """A stream that keeps such texts for itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.held: list[str] = []

    def write(self, text: str) -> int:
        """Write it, or keep it."""
        if not text.startswith(_BEGINNING):
            return self._stream.write(text)
        self.held.append(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def store_lines_held() -> Iterator[list[str]]:
    """Give those lines; what is left of them is printed, unless it ends in an error of ours."""
    holding = _Holding(sys.stderr)
    try:
        with redirect_stderr(cast("TextIO", holding)):
            yield holding.held
    except SwrWarehouseError:
        holding.held.clear()
        raise
    finally:
        sys.stderr.writelines(holding.held)
