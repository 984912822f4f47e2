"""Builds the tables of `sql/reports` and audits the warehouse with `sql/checks`.

Intermediates several reports share (`sql/accounting`) are temporary tables, made first, in the
order of their file names, and dropped at the end. Reports are built after the reports they read;
that order is told from the SQL. Loading rows and publishing the file belong elsewhere.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from itertools import takewhile
from typing import cast

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from pipelines.errors import AuditFailed
from pipelines.warehouse.connection import execute_with_room

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


def report_names() -> list[str]:
    """Name every report, in alphabetical order."""
    return list(_sources("reports"))


def check_names() -> list[str]:
    """Name every check, `<table>__<rule>`, in alphabetical order."""
    return list(_sources("checks"))


@cache
def report_sources(name: str) -> frozenset[str]:
    """Name the tables a report reads, `schema.table`, itself or through `sql/accounting`."""
    return _origins(_query("reports", name))


def queries() -> dict[tuple[str, str], exp.Query]:
    """Give the query of every table that is built, by schema and name, in building order.

    Those of `sql/accounting` are in schema `temp`.
    """
    temporary = {
        ("temp", _table_name(name)): _query("accounting", name) for name in _sources("accounting")
    }
    return temporary | {
        ("reports", name): _query("reports", name) for name in _in_dependency_order()
    }


def check_entries() -> list[CheckEntry]:
    """Describe every check, in alphabetical order, without running it."""
    return [_check_entry(name, sql) for name, sql in _sources("checks").items()]


def build_reports(con: duckdb.DuckDBPyConnection) -> list[BuiltReport]:
    """Rebuild every table of schema `reports` from schemas `main` and `ingest`.

    Raises:
        duckdb.Error: A report's SQL does not fit the warehouse; earlier reports are rebuilt.
    """
    accounting = _sources("accounting")
    try:
        for sql in accounting.values():
            execute_with_room(con, sql)
        return [_build(con, name) for name in _in_dependency_order()]
    finally:
        for name in map(_table_name, accounting):
            con.execute(f"drop table if exists temp.{name}")


def run_checks(
    con: duckdb.DuckDBPyConnection, names: Collection[str] | None = None
) -> list[CheckOutcome]:
    """Run the checks of these names, or every one of `sql/checks`, in alphabetical order."""
    chosen = check_names() if names is None else sorted(names)
    return [_check(con, name, _sources("checks")[name]) for name in chosen]


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


def _build(con: duckdb.DuckDBPyConnection, name: str) -> BuiltReport:
    started = time.perf_counter()
    execute_with_room(con, _sources("reports")[name])
    seconds = time.perf_counter() - started
    return BuiltReport(name=name, seconds=seconds, rows=_count(con, f"from reports.{name}"))


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
    [(count,)] = execute_with_room(con, f"select count(*) {source}").fetchall()
    return int(count)


@cache
def _sources(folder: str) -> Mapping[str, str]:
    """Map the name of every SQL file in a folder of `sql` to its text, in name order."""
    entries = (e for e in files("sql").joinpath(folder).iterdir() if e.name.endswith(".sql"))
    ordered = sorted(entries, key=lambda entry: entry.name)
    return {entry.name.removesuffix(".sql"): entry.read_text("utf-8") for entry in ordered}


def _table_name(accounting_file: str) -> str:
    """Give the temporary table of `NN_<name>`."""
    return accounting_file.split("_", 1)[1]


def _in_dependency_order() -> list[str]:
    graph = {
        name: sorted(s.removeprefix("reports.") for s in report_sources(name) if "reports." in s)
        for name in report_names()
    }
    return list(TopologicalSorter(graph).static_order())


def _origins(query: exp.Query) -> frozenset[str]:
    """Name the warehouse's own tables a query reads, through temporary tables as well."""
    accounting = {_table_name(name): name for name in _sources("accounting")}
    read = list(query.find_all(exp.Table))
    own = frozenset(f"{table.db}.{table.name}" for table in read if table.db)
    through = {table.name for table in read if not table.db} & accounting.keys()
    return own.union(*(_accounting_origins(accounting[name]) for name in through))


@cache
def _accounting_origins(name: str) -> frozenset[str]:
    return _origins(_query("accounting", name))


@cache
def _query(folder: str, name: str) -> exp.Query:
    """Parse the query that fills a table."""
    statements = sqlglot.parse(_sources(folder)[name], dialect="duckdb")
    [query] = [e.expression for e in statements if isinstance(e, exp.Create)]
    return cast("exp.Query", query)
