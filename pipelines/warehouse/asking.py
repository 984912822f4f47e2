"""Questions that a query alone cannot answer: SQL of `sql/questions` on the published warehouse.

The intermediates that they read are made once for all of them, in memory, and are gone afterwards;
reports count from the same ones (`sql/intermediate`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.build_plan import statements_in, steps_for_queries
from pipelines.warehouse.connection import retry_with_more_memory
from pipelines.warehouse.in_use import NOTHING_MORE, Landed, use_given
from pipelines.warehouse.migrations import pending
from pipelines.warehouse.query import open_published, require_one_registry
from pipelines.warehouse.reports import create_macros, intermediates_attached, run_build_step
from pipelines.warehouse.resources import LEAST, Resources

# Nothing of history matters here: every run but the latest has written its changes.
_NO_NEW_RUN = "create table intermediate.told_runs as select run_id from ingest.runs"
_GIVEN = frozenset(
    ("intermediate", name)
    for name in ("told_runs", "kept_snapshots", "kept_references", "in_use_window")
)


class Asked:
    """A warehouse with what some questions read."""

    def __init__(self, con: DuckDBPyConnection) -> None:
        self._con = con

    def ask(self, question: str, **tables: pa.Table) -> pa.Table:
        """Answer a question of `sql/questions` that reads these tables by their names."""
        for name, table in tables.items():
            self._con.register(name, table)
        sql = statements_in("questions")[question]
        answer: pa.Table = retry_with_more_memory(
            self._con, lambda: self._con.sql(sql).to_arrow_table()
        )
        return answer


@contextmanager
def asking(
    directory: Path,
    questions: Sequence[str],
    resources: Resources = LEAST,
    landed: Landed = NOTHING_MORE,
) -> Iterator[Asked]:
    """Open the published warehouse for some questions.

    Args:
        directory: where it is.
        questions: files of `sql/questions`.
        resources: that answering may take.
        landed: snapshots of what runs that no run may have loaded yet.

    Raises:
        WarehouseMissing: there is none yet.
        WarehouseError: it cannot be read, or the machine has not enough memory for it.
    """
    with (
        TemporaryDirectory(prefix="swr-warehouse-") as spill,
        open_published(directory, Path(spill), resources) as con,
    ):
        if pending(con):
            raise WarehouseError(
                "An earlier release published this warehouse, without all that this question"
                " reads: run `swr-warehouse ingest`, then ask again."
            )
        require_one_registry(con)
        with asking_on(con, questions, landed) as asked:
            yield asked


@contextmanager
def asking_on(
    con: DuckDBPyConnection, questions: Sequence[str], landed: Landed = NOTHING_MORE
) -> Iterator[Asked]:
    """The same of an open warehouse."""
    texts = [statements_in("questions")[name] for name in questions]
    create_macros(con)
    with intermediates_attached(con):
        con.execute(_NO_NEW_RUN)
        use_given(con, landed)
        for step in steps_for_queries(texts, _GIVEN):
            run_build_step(con, *step)
        yield Asked(con)
