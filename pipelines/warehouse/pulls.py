"""What of the registry is still to be asked for, and the answers that are stored.

Works on the building file, after `load.begin`. The statements are in sql/load; how the registry is
asked is `pipelines.run.resolve`'s.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.schemas import IMAGE_CONFIGS, IMAGE_LABELS, LANDED_PULLS
from pipelines.warehouse.connection import retry_with_more_memory, transaction
from pipelines.warehouse.load import registered
from pipelines.warehouse.statements import statement


class Due(NamedTuple):
    """Something to ask a repository for: a `manifest`, a `blob` (its size) or a `config`.

    `tag` is one that points at the image itself; None where none does.
    """

    kind: str
    digest: str
    namespace: str
    repository: str
    tag: str | None

    @property
    def name(self) -> str:
        """The repository with its namespace."""
        return f"{self.namespace}/{self.repository}"


def begin(con: DuckDBPyConnection) -> None:
    """Forget what an earlier resolve skipped."""
    con.execute("create or replace temp table skipped_pulls as from ingest.pulls limit 0")


def due_pulls(
    con: DuckDBPyConnection, registry: str, *, asked_after: datetime, limit: int, configs: bool
) -> list[Due]:
    """What is missing and not asked for yet, in the order to ask.

    Args:
        con: the building file.
        registry: short name of the registry.
        asked_after: what a repository could not give since then is not asked again.
        limit: at most so many.
        configs: whether configurations are missing too.
    """
    asked = {
        "registry": registry,
        "asked_after": asked_after,
        "limit": limit,
        "configs": configs,
    }
    rows = retry_with_more_memory(
        con, lambda: con.execute(statement("pulls_due"), asked).fetchall()
    )
    return [Due(*row[:-1]) for row in rows]


def skip(con: DuckDBPyConnection, some: Iterable[Due]) -> None:
    """Leave out what could not be asked for, until the file is opened again."""
    rows = [due._asdict() for due in some]
    if rows:
        with registered(con, {"arriving": pa.Table.from_pylist(rows)}):
            con.execute("insert into skipped_pulls by name select * exclude (tag) from arriving")


def unknown_answers(con: DuckDBPyConnection, answers: pa.Table) -> int:
    """How many of these LANDED_PULLS are not stored yet."""
    with registered(con, {"arriving_pulls": answers}):
        [(count,)] = con.execute(statement("new_pulls")).fetchall()
    return int(count)


def store_outcome(
    con: DuckDBPyConnection, run_id: str, left: int | None, problem: str | None
) -> None:
    """Store what a run leaves to be asked for, and why."""
    sql = "update ingest.runs set pulls_left = ?, resolve_problem = ? where run_id = ?"
    con.execute(sql, [left, problem, run_id])


def share_configs(con: DuckDBPyConnection) -> None:
    """Give new images the configurations that were read of others."""
    with registered(con, {"arriving_configs": IMAGE_CONFIGS.empty_table()}), transaction(con):
        con.execute(statement("store_configs"))


def store_answers(
    con: DuckDBPyConnection,
    answers: pa.Table,
    configs: pa.Table,
    labels: pa.Table,
    run_id: str,
) -> None:
    """Store LANDED_PULLS, the IMAGE_CONFIGS among them and their IMAGE_LABELS."""
    arriving = {
        "arriving_pulls": answers.cast(LANDED_PULLS),
        "arriving_configs": configs.cast(IMAGE_CONFIGS),
        "arriving_labels": labels.cast(IMAGE_LABELS),
    }
    with registered(con, arriving), transaction(con):
        con.execute(statement("store_pulls"), {"run_id": run_id})
        if configs.num_rows:
            con.execute(statement("store_labels"))
            con.execute(statement("store_configs"))
