"""Builds the tables of `sql/reports`, in the order of `build_plan`.

Loading rows, checking what was built and publishing it belong elsewhere.
"""

import time
from dataclasses import dataclass

import duckdb

from pipelines.warehouse.build_plan import Action, build_steps, intermediates, sql_of, statements_in
from pipelines.warehouse.connection import retry_with_more_memory


@dataclass(frozen=True, slots=True)
class BuiltReport:
    """One table of schema `reports`, as just built."""

    name: str
    seconds: float
    rows: int


def build_reports(con: duckdb.DuckDBPyConnection) -> list[BuiltReport]:
    """Rebuild every table of schema `reports` from schemas `main` and `ingest`.

    Raises:
        duckdb.Error: A report's SQL does not fit the warehouse; earlier reports are rebuilt.
    """
    create_macros(con)
    try:
        return [report for step in build_steps() if (report := run_build_step(con, *step))]
    finally:
        for name in intermediates():
            con.execute(f"drop table if exists temp.{name}")


def create_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Make the functions of `sql/macros`, which the other statements call; they stay."""
    for sql in statements_in("macros").values():
        con.execute(sql)


def run_build_step(
    con: duckdb.DuckDBPyConnection, action: Action, schema: str, name: str
) -> BuiltReport | None:
    """Take one step of building; give the report if it built one."""
    if action is Action.DROP:
        con.execute(f"drop table {schema}.{name}")
        return None
    started = time.perf_counter()
    retry_with_more_memory(con, lambda: con.execute(sql_of(schema, name)))
    seconds = time.perf_counter() - started
    if schema == "temp":
        return None
    [(rows,)] = con.table(f"{schema}.{name}").count("*").fetchall()
    return BuiltReport(name=name, seconds=seconds, rows=rows)
