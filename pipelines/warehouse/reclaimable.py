"""What deleting some tags together would give back, asked of the published warehouse.

The reports tell it for each tag, for tags of an age and for stale ones; here for any that a query
chooses. It is counted from the same intermediates as the reports are: `sql/accounting`.
"""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.connection import with_room
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
        chosen = choose(con, choice)
    with (
        TemporaryDirectory(prefix="swr-warehouse-") as spill,
        asking(directory, Path(spill)) as con,
    ):
        return count_reclaimable(con, chosen)


def choose(con: DuckDBPyConnection, choice: str) -> pa.Table:
    """The names of the tags that a query gives.

    Raises:
        WarehouseError: it gives none.
        duckdb.Error: it is wrong.
    """
    # A statement without a result answers None, whatever its annotation says.
    answer = cast("duckdb.DuckDBPyRelation | None", con.sql(choice))
    if answer is None or not set(_NAMES).issubset(answer.columns):
        raise WarehouseError(
            "The query has to give the columns namespace, repository and tag, as in:"
            " from reports.tag_ages where updated_age_days > 365"
        )
    table: pa.Table = answer.select(*_NAMES).to_arrow_table()
    return table


def count_reclaimable(con: DuckDBPyConnection, chosen: pa.Table) -> pa.Table:
    """Count it for tags given by namespace, repository and tag; leaves temporary tables."""
    question = sources("questions")["reclaimable"]
    con.register("chosen_tags", chosen)
    for action, schema, name in steps_towards(question):
        made = action is Action.MAKE
        sql = sql_of(schema, name) if made else f"drop table {schema}.{name}"
        with_room(con, partial(con.execute, sql))
    table: pa.Table = with_room(con, lambda: con.sql(question).to_arrow_table())
    return table
