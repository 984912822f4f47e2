"""What deleting some tags together would give back, asked of the published warehouse.

The reports tell it for each tag, for tags of an age and for stale ones; here for any that a query
chooses. It is counted from the same intermediates as the reports are: `sql/accounting`.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.connection import with_room
from pipelines.warehouse.models import take_step
from pipelines.warehouse.queries import sources, steps_towards
from pipelines.warehouse.query import answered, asking

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
    answer = answered(con, choice)
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
    for step in steps_towards(question):
        take_step(con, *step)
    table: pa.Table = with_room(con, lambda: con.sql(question).to_arrow_table())
    return table
