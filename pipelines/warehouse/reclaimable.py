"""What deleting some tags together would give back, counted in the published warehouse.

Reports hold it for each tag, for tags of an age and for stale ones; this is for any that a query
chooses. Both count from the same intermediates (`sql/intermediate`).
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.build_plan import statements_in, steps_for_query
from pipelines.warehouse.connection import retry_with_more_memory
from pipelines.warehouse.query import open_published, query_relation
from pipelines.warehouse.reports import create_macros, intermediates_attached, run_build_step
from pipelines.warehouse.resources import LEAST, Resources

# Nothing of history matters here: every run but the latest has written its changes.
_NO_NEW_RUN = "create table intermediate.told_runs as select run_id from ingest.runs"
_NAMES = ("namespace", "repository", "tag")


def reclaimable_bytes(directory: Path, choice: str, resources: Resources = LEAST) -> pa.Table:
    """Count the bytes that the tags chosen by a query would give back together.

    Args:
        directory: of the published warehouse.
        choice: SQL that gives `namespace`, `repository` and `tag`, and whatever else.
        resources: that counting may take.

    Returns:
        One row, the columns of sql/questions/reclaimable.sql; sizes are in bytes.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: the SQL is wrong, in DuckDB's words; or it does not give tags.
    """
    with open_published(directory) as con:
        chosen = select_tags(con, choice)
    with (
        TemporaryDirectory(prefix="swr-warehouse-") as spill,
        open_published(directory, Path(spill), resources) as con,
    ):
        return count_reclaimable(con, chosen)


def select_tags(con: DuckDBPyConnection, choice: str) -> pa.Table:
    """The names of the tags that a query gives.

    Raises:
        WarehouseError: it gives none.
        duckdb.Error: it is wrong.
    """
    answer = query_relation(con, choice)
    if answer is None or not set(_NAMES).issubset(answer.columns):
        raise WarehouseError(
            "The query has to give the columns namespace, repository and tag, as in:"
            " from reports.tag_ages where updated_age_days > 365"
        )
    table: pa.Table = answer.select(*_NAMES).to_arrow_table()
    return table


def count_reclaimable(con: DuckDBPyConnection, chosen: pa.Table) -> pa.Table:
    """Count them for tags given by namespace, repository and tag."""
    question = statements_in("questions")["reclaimable"]
    con.register("chosen_tags", chosen)
    create_macros(con)
    with intermediates_attached(con):
        con.execute(_NO_NEW_RUN)
        for step in steps_for_query(question, frozenset({("intermediate", "told_runs")})):
            run_build_step(con, *step)
        table: pa.Table = retry_with_more_memory(con, lambda: con.sql(question).to_arrow_table())
    return table
