"""Makes the rows that runs have appended to reports anew, from history, and says what changed.

They are the same as long as the same release makes them of the same knowledge: ADR 8 says what may
differ. `reports` builds the reports.
"""

from collections.abc import Callable
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from pipelines.warehouse.reports import BuiltReport, build_reports
from pipelines.warehouse.state import APPENDED_REPORTS

_THERE = "select count(*) from duckdb_tables() where schema_name = 'reports' and table_name = ?"


class Rebuilt(NamedTuple):
    """Of the rows that earlier runs had appended to a report: how many, and how many are other."""

    name: str
    rows: int
    changed_rows: int

    def __str__(self) -> str:
        """What a person reads."""
        return (
            f"reports.{self.name}: of {self.rows:,} rows of earlier runs"
            f" {self.changed_rows:,} changed."
        )


def rebuild_reports(
    con: DuckDBPyConnection,
    cursors: int = 1,
    build: Callable[..., list[BuiltReport]] = build_reports,
) -> tuple[list[BuiltReport], list[Rebuilt]]:
    """Build every report as `reports.build_reports` does, appended rows of earlier runs too."""
    names = [name for name in APPENDED_REPORTS if con.execute(_THERE, [name]).fetchall()[0][0]]
    for name in names:
        con.execute(f"create or replace temp table {name}_before as from reports.{name}")
    built = build(con, cursors, is_rebuilt=True)
    rebuilt = [_compared(con, name) for name in names]
    for name in names:
        con.execute(f"drop table temp.{name}_before")
    return built, rebuilt


def _compared(con: DuckDBPyConnection, name: str) -> Rebuilt:
    [(rows, changed_rows)] = con.execute(
        f"select (select count(*) from temp.{name}_before), ("  # noqa: S608 - names of our own
        f"select count(*) from (from temp.{name}_before except all from reports.{name}))"
    ).fetchall()
    return Rebuilt(name, rows, changed_rows)
