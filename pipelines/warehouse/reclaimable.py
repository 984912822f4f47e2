"""What deleting some tags together would give back, asked of the published warehouse.

The reports tell it for each tag, for tags of an age and for stale ones; here for any that a query
chooses. It is counted from the same intermediates as the reports are: `sql/accounting`.
"""

from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.queries import Action, sources, sql_of, steps_towards
from pipelines.warehouse.query import asking

_NAMES = ("namespace", "repository", "tag")


def reclaimable_bytes(directory: Path, choice: str) -> pa.Table:
    """Count what the tags chosen by a query would give back together.

    Args:
        directory: of the published warehouse.
        choice: SQL that gives `namespace`, `repository` and `tag`, and whatever else.

    Returns:
        One row, the columns of sql/questions/reclaimable.sql; sizes are in bytes.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: the SQL is wrong, in DuckDB's words; or it does not give tags.
    """
    with asking(directory) as con:
        return count_reclaimable(con, choice)


def count_reclaimable(con: DuckDBPyConnection, choice: str) -> pa.Table:
    """The same on an open warehouse. Raises duckdb.Error where the SQL is wrong."""
    question = sources("questions")["reclaimable"]
    con.register("chosen_tags", _chosen(con, choice))
    for action, schema, name in steps_towards(question):
        made = action is Action.MAKE
        con.execute(sql_of(schema, name) if made else f"drop table {schema}.{name}")
    table: pa.Table = con.sql(question).to_arrow_table()
    return table


def _chosen(con: DuckDBPyConnection, choice: str) -> pa.Table:
    # A statement without a result answers None, whatever its annotation says.
    answer = cast("duckdb.DuckDBPyRelation | None", con.sql(choice))
    if answer is None or not set(_NAMES).issubset(answer.columns):
        raise WarehouseError(
            "The query has to give the columns namespace, repository and tag, as in:"
            " from reports.tag_ages where updated_age_days > 365"
        )
    table: pa.Table = answer.select(*_NAMES).to_arrow_table()
    return table
