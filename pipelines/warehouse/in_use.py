"""Snapshots of what runs: stored with the runs, and given to questions before a run has them.

What their references are in the registry is SQL, the same for reports and questions
(`sql/intermediate`: `reference_matches` and those beside it).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.schemas import LANDED_IN_USE
from pipelines.warehouse.connection import transaction
from pipelines.warehouse.load import registered
from pipelines.warehouse.statements import statement


class Landed(NamedTuple):
    """What questions are to know of what runs beside what runs of ours have loaded.

    Attributes:
        snapshots: rows of LANDED_IN_USE; those that are loaded already count once.
        days: snapshots count that were taken so many days before the latest run, or later; None
            for what that run was set to.
    """

    snapshots: pa.Table
    days: int | None = None


NOTHING_MORE = Landed(LANDED_IN_USE.empty_table())


def are_stored(con: DuckDBPyConnection, snapshots: pa.Table) -> bool:
    """Whether all of these LANDED_IN_USE are stored."""
    ids = snapshots["snapshot_id"].unique().to_pylist()
    sql = "select count(*) from ingest.in_use_snapshots where snapshot_id in (select unnest(?))"
    return con.execute(sql, [ids]).fetchall() == [(len(ids),)]


def store_snapshots(con: DuckDBPyConnection, snapshots: pa.Table) -> None:
    """Store LANDED_IN_USE that are not yet, in the building file."""
    arriving = {"arriving_in_use": snapshots.cast(LANDED_IN_USE)}
    with registered(con, arriving), transaction(con):
        con.execute(statement("store_in_use"))


def old_snapshots(con: DuckDBPyConnection, before: datetime, days: int) -> list[str]:
    """Snapshots taken before a moment, and so many days before the latest run."""
    asked = {"before": before, "days": days}
    return [name for (name,) in con.execute(statement("old_snapshots"), asked).fetchall()]


def delete_snapshots(con: DuckDBPyConnection, snapshots: Sequence[str]) -> None:
    """Delete these snapshots from the building file."""
    con.execute(statement("delete_snapshots"), {"snapshots": list(snapshots)})
    con.execute(statement("delete_lost_references"))


def use_given(con: DuckDBPyConnection, landed: Landed) -> None:
    """Make the intermediates that say which snapshots there are, and from when on they count."""
    with registered(con, {"arriving_in_use": landed.snapshots}):
        con.execute(statement("given_snapshots"))
    con.execute(statement("given_window"), {"days": landed.days})
