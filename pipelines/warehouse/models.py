"""Builds the tables of `sql/reports` and audits the warehouse with `sql/checks`.

`build_plan` gives the order. Loading rows and publishing the file belong elsewhere.
"""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile

import duckdb
import pyarrow as pa

from pipelines.errors import AuditFailed
from pipelines.warehouse.build_plan import (
    Action,
    build_steps,
    intermediates,
    report_names,
    sql_of,
    statements_in,
)
from pipelines.warehouse.connection import retry_with_more_memory

SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class BuiltReport:
    """One table of schema `reports`, as just built."""

    name: str
    seconds: float
    rows: int


@dataclass(frozen=True, slots=True)
class CheckEntry:
    """One check: `<table>__<rule>`, whether it stops a run, and what it means."""

    name: str
    is_blocking: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What one check found: `count` offending rows, at most ten of them in `sample`."""

    table: str
    rule: str
    is_blocking: bool
    count: int
    sample: pa.Table

    @property
    def name(self) -> str:
        """The check's file name without its ending: `<table>__<rule>`."""
        return f"{self.table}__{self.rule}"


def check_names() -> list[str]:
    """Name every check, `<table>__<rule>`, in alphabetical order."""
    return list(statements_in("checks"))


def report_checks() -> set[str]:
    """Name the checks that need the reports; those of `warehouse` look at every table."""
    built = {*report_names(), "warehouse"}
    return {name for name in check_names() if name.split("__", 1)[0] in built}


def table_checks() -> set[str]:
    """Name the checks that need only what was loaded."""
    return set(check_names()) - report_checks()


def check_entries() -> list[CheckEntry]:
    """Describe every check, in alphabetical order, without running it."""
    return [_check_entry(name, sql) for name, sql in statements_in("checks").items()]


def build_reports(con: duckdb.DuckDBPyConnection) -> list[BuiltReport]:
    """Rebuild every table of schema `reports` from schemas `main` and `ingest`.

    Raises:
        duckdb.Error: A report's SQL does not fit the warehouse; earlier reports are rebuilt.
    """
    try:
        return [report for step in build_steps() if (report := run_build_step(con, *step))]
    finally:
        for name in intermediates():
            con.execute(f"drop table if exists temp.{name}")


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
    return BuiltReport(name=name, seconds=seconds, rows=_count(con, f"from {schema}.{name}"))


def run_checks(
    con: duckdb.DuckDBPyConnection, names: Collection[str] | None = None
) -> list[CheckOutcome]:
    """Run the checks of these names, or every one of `sql/checks`, in alphabetical order."""
    chosen = check_names() if names is None else sorted(names)
    return [_check(con, name, statements_in("checks")[name]) for name in chosen]


def audit(outcomes: Iterable[CheckOutcome]) -> None:
    """Refuse a warehouse in which a blocking check found rows.

    Raises:
        AuditFailed: Names each failed blocking check with its number of rows.
    """
    failed = [f"{o.name} ({o.count})" for o in outcomes if o.is_blocking and o.count]
    if failed:
        raise AuditFailed(
            f"{len(failed)} blocking checks found rows, nothing was published: {', '.join(failed)}"
        )


def _check_entry(name: str, sql: str) -> CheckEntry:
    """Read a check's opening comment: its severity on the first line, its meaning below."""
    comment = [line.removeprefix("--").strip() for line in _opening_comment(sql)]
    return CheckEntry(name, is_blocking=comment[0] == "error", meaning=" ".join(comment[1:]))


def _opening_comment(sql: str) -> list[str]:
    return list(takewhile(lambda line: line.startswith("--"), sql.splitlines()))


def _check(con: duckdb.DuckDBPyConnection, name: str, sql: str) -> CheckOutcome:
    table, rule = name.split("__", 1)
    found = f"from ({sql.rstrip().removesuffix(';')}\n) as found"
    count = _count(con, found)
    sample = con.sql(f"{found} limit {SAMPLE_ROWS if count else 0}").to_arrow_table()
    is_blocking = sql.startswith("-- error")
    return CheckOutcome(table=table, rule=rule, is_blocking=is_blocking, count=count, sample=sample)


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    sql = f"select count(*) {source}"
    [(count,)] = retry_with_more_memory(con, lambda: con.execute(sql).fetchall())
    return int(count)
