"""Work on one database by several connections at a time, each in a thread of its own.

DuckDB divides one statement among its threads, and each of them waits where a statement cannot be
divided; statements that need nothing of one another keep every core busy. What to do, and in which
order, is known to the callers.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import TypeVar

from duckdb import DuckDBPyConnection

from pipelines.warehouse.connection import cursor

T = TypeVar("T")


class Cursors:
    """Connections to one database, and a thread for each."""

    def __init__(self, connections: list[DuckDBPyConnection], pool: ThreadPoolExecutor) -> None:
        """Take them all for free."""
        self._pool = pool
        self._free: SimpleQueue[DuckDBPyConnection] = SimpleQueue()
        for one in connections:
            self._free.put(one)

    def submit(self, action: Callable[[DuckDBPyConnection], T]) -> "Future[T]":
        """Have an action done by the next one that is free; give what will be its result."""
        return self._pool.submit(self._act, action)

    def _act(self, action: Callable[[DuckDBPyConnection], T]) -> T:
        own = self._free.get()
        try:
            return action(own)
        finally:
            self._free.put(own)


@contextmanager
def side_by_side(
    con: DuckDBPyConnection,
    count: int,
    prepare: Callable[[DuckDBPyConnection], object] = lambda _: None,
) -> Iterator[Cursors]:
    """Have so many cursors, each prepared once; one of one is `con` itself.

    What is still going on when the block is left by an error is interrupted.
    """
    with ExitStack() as closed_after:
        connections = [con]
        if count > 1:
            [(name,)] = con.execute("select current_database()").fetchall()
            connections = [closed_after.enter_context(cursor(con, name)) for _ in range(count)]
            closed_after.enter_context(_threads_divided(con, count))
        for one in connections:
            prepare(one)
        pool = closed_after.enter_context(ThreadPoolExecutor(count))
        try:
            yield Cursors(connections, pool)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for one in connections:
                one.interrupt()
            raise


@contextmanager
def _threads_divided(con: DuckDBPyConnection, count: int) -> Iterator[None]:
    """Give the database fewer threads of its own, as each cursor brings one."""
    [(threads,)] = con.execute("select current_setting('threads')").fetchall()
    con.execute(f"set threads = {max(1, threads - count + 1)}")
    try:
        yield
    finally:
        con.execute(f"set threads = {threads}")
