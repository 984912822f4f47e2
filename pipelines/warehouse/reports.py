"""Builds the tables of `sql/reports`, several at a time, in the order of `build_plan`.

Loading rows, checking what was built and publishing it belong elsewhere.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from duckdb import DuckDBPyConnection

from pipelines.warehouse.build_plan import (
    Action,
    TableName,
    going_through,
    sql_of,
    statements_in,
    walk_to_reports,
)
from pipelines.warehouse.connection import retry_with_more_memory
from pipelines.warehouse.cursors import side_by_side


@dataclass(frozen=True, slots=True)
class BuiltReport:
    """One table of schema `reports`, as just built."""

    name: str
    seconds: float
    rows: int


def build_reports(
    con: DuckDBPyConnection,
    cursors: int = 1,
    *,
    names: Collection[str] | None = None,
    is_rebuilt: bool = False,
) -> list[BuiltReport]:
    """Rebuild tables of schema `reports` from schemas `main` and `ingest`, and from one another.

    Args:
        con: the warehouse, in no transaction.
        cursors: tables that are built at the same time.
        names: of the reports; None for all of them.
        is_rebuilt: whether rows that earlier runs have appended, as to `daily_growth`, are made
            anew from history, instead of staying as they are.

    Raises:
        duckdb.Error: A report's SQL does not fit the warehouse; earlier reports are rebuilt.
    """

    def prepare(own: DuckDBPyConnection) -> None:
        create_macros(own)
        if is_rebuilt:
            own.execute("create or replace temp macro is_rebuilt() as true")

    with intermediates_attached(con), side_by_side(con, cursors, prepare) as opened:
        made = going_through(
            walk_to_reports(names),
            cursors,
            lambda table: opened.submit(partial(_build, table)),
            lambda table: opened.submit(partial(_drop, table)).result(),
        )
        return [built for table, built in made if table[0] == "reports"]


@contextmanager
def intermediates_attached(con: DuckDBPyConnection) -> Iterator[None]:
    """Have a database for intermediates, which every cursor sees; it is gone afterwards."""
    con.execute("attach if not exists ':memory:' as intermediate")
    try:
        yield
    finally:
        con.execute("detach intermediate")


def create_macros(con: DuckDBPyConnection) -> None:
    """Make the functions of `sql/macros`, which the other statements call; they stay."""
    for sql in statements_in("macros").values():
        con.execute(sql)


def run_build_step(con: DuckDBPyConnection, action: Action, schema: str, name: str) -> None:
    """Take one step of building."""
    if action is Action.DROP:
        _drop((schema, name), con)
    else:
        _build((schema, name), con)


def _drop(table: TableName, con: DuckDBPyConnection) -> None:
    con.execute(f"drop table {'.'.join(table)}")


def _build(table: TableName, con: DuckDBPyConnection) -> BuiltReport:
    started = time.perf_counter()
    retry_with_more_memory(con, lambda: con.execute(sql_of(*table)))
    seconds = time.perf_counter() - started
    return BuiltReport(table[1], seconds, _count(con, table) if table[0] == "reports" else 0)


def _count(con: DuckDBPyConnection, table: TableName) -> int:
    [(rows,)] = con.execute(f"select count(*) from {'.'.join(table)}").fetchall()  # noqa: S608 - ours
    return int(rows)
