"""Descriptions of tables as Dagster shows them, taken from the comments in the SQL.

An empty warehouse is built in memory when definitions load and asked about itself, so that SQL
stays the only place where a column is described.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import dagster as dg

from pipelines.warehouse.catalog import TableEntry, empty_catalog


@cache
def _catalog() -> dict[tuple[str, str], TableEntry]:
    return {(entry.schema, entry.name): entry for entry in empty_catalog()}


def described(schema: str, table: str, *, deps: Sequence[Any], group_name: str) -> dg.AssetSpec:
    """Specify a table as an asset, with what its SQL says of it."""
    entry = _catalog()[schema, table]
    columns = [dg.TableColumn(column.name, column.type, column.comment) for column in entry.columns]
    return dg.AssetSpec(
        [schema, table],
        deps=deps,
        group_name=group_name,
        kinds={"duckdb"},
        description=entry.comment,
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
    )
