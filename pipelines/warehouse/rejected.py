"""Rows that no report needs any more. Everything else is kept: docs/adr/0004-what-is-kept.md."""

from collections.abc import Sequence
from datetime import datetime

from duckdb import DuckDBPyConnection

from pipelines.warehouse.statements import statement


def runs_with_old_rejected(con: DuckDBPyConnection, before: datetime) -> list[str]:
    """Runs whose rejected records are old enough to go; never the latest run."""
    rows = con.execute(statement("old_rejected"), {"before": before}).fetchall()
    return [run_id for (run_id,) in rows]


def delete_rejected(con: DuckDBPyConnection, runs: Sequence[str]) -> None:
    """Delete the rejected records of these runs from the building file."""
    con.execute(statement("delete_rejected"), {"runs": list(runs)})
