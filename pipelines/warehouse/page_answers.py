"""Answers the queries of `sql/page` from the published warehouse.

Each is one query that runs as it stands in `swr-warehouse query`, too.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.build_plan import statements_in
from pipelines.warehouse.connection import retry_with_more_memory
from pipelines.warehouse.query import open_published
from pipelines.warehouse.resources import LEAST, Resources


class Answer(NamedTuple):
    """A query and its rows."""

    sql: str
    rows: pa.Table


def page_answers(directory: Path, resources: Resources = LEAST) -> dict[str, Answer]:
    """Answer each query, by the name of its file.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: it cannot be read, or an earlier release published it.
    """
    with (
        TemporaryDirectory(prefix="swr-warehouse-") as spill,
        open_published(directory, Path(spill), resources) as con,
    ):
        return {name: _answer(con, sql) for name, sql in statements_in("page").items()}


def _answer(con: DuckDBPyConnection, sql: str) -> Answer:
    try:
        return Answer(sql, retry_with_more_memory(con, lambda: con.sql(sql).to_arrow_table()))
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise WarehouseError(
            "An earlier release published this warehouse, without all that the page shows: run"
            " `swr-warehouse ingest`, then ask again."
        ) from error
