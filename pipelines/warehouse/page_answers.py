"""Answers the queries of `sql/page`, `terminal` and `metrics` from the published warehouse.

Each is one query that runs as it stands in `swr-warehouse query`, too.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.build_plan import statements_in
from pipelines.warehouse.connection import retry_with_more_memory
from pipelines.warehouse.query import open_published, require_one_registry
from pipelines.warehouse.resources import LEAST, Resources


class Answer(NamedTuple):
    """A query and its rows."""

    sql: str
    rows: pa.Table


def page_answers(directory: Path, resources: Resources = LEAST) -> dict[str, Answer]:
    """Answer each query of the page, by the name of its file."""
    return _answers(directory, statements_in("page"), resources)


def terminal_answers(directory: Path) -> dict[str, Answer]:
    """Answer each query of the terminal's report, by the name of its file."""
    queries = {**statements_in("terminal"), "registry": statements_in("page")["overview"]}
    return _answers(directory, queries, LEAST)


def metrics_answers(directory: Path) -> dict[str, Answer]:
    """Answer each query of the metrics, by the name of its file."""
    return _answers(directory, statements_in("metrics"), LEAST)


def _answers(
    directory: Path, queries: Mapping[str, str], resources: Resources
) -> dict[str, Answer]:
    """Answer queries by their names.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: it cannot be read, or an earlier release published it.
    """
    with (
        TemporaryDirectory(prefix="swr-warehouse-") as spill,
        open_published(directory, Path(spill), resources) as con,
    ):
        answers = {name: _answer(con, sql) for name, sql in queries.items()}
        require_one_registry(con)
        return answers


def _answer(con: DuckDBPyConnection, sql: str) -> Answer:
    try:
        return Answer(sql, retry_with_more_memory(con, lambda: con.sql(sql).to_arrow_table()))
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise WarehouseError(
            "An earlier release published this warehouse, without all that is shown: run"
            " `swr-warehouse ingest`, then ask again."
        ) from error
