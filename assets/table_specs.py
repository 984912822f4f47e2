"""Descriptions of tables as Dagster shows them, taken from the SQL that makes them.

An empty warehouse is built in memory when definitions load and asked about itself, so that SQL
stays the only place where a column is described. What a run found out about a table is reported
where it is materialized (`defs.warehouse`, `defs.reports`).
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.settings import read_calendar
from pipelines.warehouse.catalog import TableEntry, empty_catalog

OWNERS = read_calendar().owners
# A daily run may take its time; one that was missed is to be seen.
FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=36), warn_window=timedelta(hours=26)
)


@cache
def _catalog() -> dict[tuple[str, str], TableEntry]:
    return {(entry.schema, entry.name): entry for entry in empty_catalog()}


def table_spec(
    schema: str,
    table: str,
    *,
    deps: Sequence[Any],
    group_name: str,
    made_by: Sequence[Traversable],
) -> dg.AssetSpec:
    """Specify a table as an asset, with what its SQL says of it.

    Args:
        schema: of the warehouse.
        table: its name.
        deps: asset keys it is made of.
        group_name: of the flow.
        made_by: every file of SQL whose change may change the table, the most telling first.
    """
    entry = _catalog()[schema, table]
    columns = [dg.TableColumn(column.name, column.type, column.comment) for column in entry.columns]
    return dg.AssetSpec(
        [schema, table],
        deps=deps,
        group_name=group_name,
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        description=entry.comment,
        code_version=_fingerprint(made_by),
        freshness_policy=FRESHNESS,
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "dagster/table_name": f"{schema}.{table}",
            "dagster/code_references": _reference(made_by[0]),
        },
    )


def sql_files(*folders: str) -> list[Traversable]:
    """Every file of some folders of `sql`, by name."""
    return [
        file
        for folder in folders
        for file in sorted((files("sql") / folder).iterdir(), key=lambda file: file.name)
    ]


def _reference(file: Traversable) -> dg.CodeReferencesMetadataValue:
    """Link to a file of SQL."""
    path = Path(str(file))
    label = f"sql/{path.parent.name}/{path.name}"
    reference = dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=label)
    return dg.CodeReferencesMetadataValue(code_references=[reference])


def _fingerprint(made_by: Sequence[Traversable]) -> str:
    """A version that changes with the SQL and with nothing else."""
    digest = hashlib.sha256()
    for file in made_by:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
