"""How much of the machine DuckDB takes: `SWR_MEMORY_LIMIT` and `SWR_THREADS`, or what is there.

DuckDB knows a cgroup's limits on memory and processors; a process's own processors Python knows.
"""

import os
from dataclasses import dataclass, replace
from functools import cache
from typing import Self

import duckdb

from pipelines.settings import Settings

_LEAST_BYTES = 250_000_000
# More statements than this are hardly ever ready at once. Two that have to share less memory wait
# for the disk longer than one alone.
_MOST_CURSORS = 4
_CURSOR_BYTES = 500_000_000
# Of all the memory there is, DuckDB takes four fifths by itself; a quarter of all leaves room for
# others, and for what it does not count.
_OF_ITS_OWN_LIMIT = 0.25 / 0.8
_OWN = """
    select
        parse_formatted_bytes(current_setting('memory_limit')) as bytes,
        current_setting('threads') as threads
"""


@dataclass(frozen=True, slots=True)
class Resources:
    """Memory in bytes that DuckDB may fill before it writes to disk, and threads.

    Without a limit on memory DuckDB keeps to its own.
    """

    memory_bytes: int | None = _LEAST_BYTES
    threads: int = 2

    @property
    def cursors(self) -> int:
        """Statements that run at the same time, as far as they need nothing of one another."""
        if self.memory_bytes is None:
            return min(self.threads, _MOST_CURSORS)
        return max(1, min(self.threads, _MOST_CURSORS, self.memory_bytes // _CURSOR_BYTES))

    def half(self) -> Self:
        """Half of the memory: the other half is for what is not DuckDB's."""
        return replace(self, memory_bytes=self.memory_bytes and self.memory_bytes // 2)

    def unlimited(self) -> Self:
        """As much memory as DuckDB takes by itself."""
        return replace(self, memory_bytes=None)


LEAST = Resources()


def resources_of(settings: Settings) -> Resources:
    """What the settings say; else a quarter of the memory, at least 250 MB, and every core."""
    memory_bytes, threads = settings.memory_bytes, settings.threads
    if memory_bytes is None or threads is None:
        own_bytes, own_threads = _duckdb_takes()
        memory_bytes = memory_bytes or max(_LEAST_BYTES, int(own_bytes * _OF_ITS_OWN_LIMIT))
        threads = threads or min(own_threads, _usable_cores())
    return Resources(memory_bytes, threads)


@cache  # it takes 30 ms to open a database, and a process stays within its limits
def _duckdb_takes() -> tuple[int, int]:
    with duckdb.connect() as con:
        [(memory_bytes, threads)] = con.execute(_OWN).fetchall()
    return int(memory_bytes), int(threads)


def _usable_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system can tell
        return os.cpu_count() or 1
