"""Every table that reports are built from, and every report, as each engine makes them."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
from described_registry import Description, refill, snapshots, warehouse
from duckdb import DuckDBPyConnection

from pipelines.engines.lake import Lake
from pipelines.engines.mirror import mirror
from pipelines.engines.session import spark_session
from pipelines.engines.spark import Tables
from pipelines.engines.translation import text_of, view_of
from pipelines.warehouse.build_plan import (
    Action,
    TableName,
    Walk,
    build_steps,
    going_through,
)
from pipelines.warehouse.reports import (
    build_reports,
    create_macros,
    intermediates_attached,
    run_build_step,
)

Row = tuple[Any, ...]
_TABLES = tuple((step.schema, step.name) for step in build_steps() if step.action is Action.CREATE)
# Short keys tell rows apart and are given anew each time: what they stand for, by their columns.
_MANIFESTS = ("manifest_key", "root_key", "node_key", "subject_key", "previous_key")
# One of several, whichever; and one of an interval, which the other columns tell apart.
_WITHOUT_NAME = {"example_key", "interval_key"}
_NEW = """
    where run_id in (
        select runs.run_id
        from intermediate.run_numbers as runs
        inner join intermediate.new_history as new on runs.run_key >= new.first_run_key
    )
"""


def seen_by_runs(description: Description) -> DuckDBPyConnection:
    """A warehouse loaded by every run, with the reports of all but the last."""
    con = warehouse({})
    *earlier, last = snapshots(description)
    for tables in earlier:
        refill(con, tables)
        build_reports(con)
    refill(con, last)
    return con


def differences(con: DuckDBPyConnection, lake: Lake, master: str) -> Iterator[str]:
    """Build all tables with Spark, then with DuckDB; tell of each in which they differ.

    Rows that earlier runs have appended stay what they are: of these reports the new rows count.
    """
    theirs = _by_spark(con, lake, master)
    ours = _by_duckdb(con)
    names = [_names_of_keys(tables) for tables in (ours, theirs)]
    for table in _TABLES:
        if ours[table].column_names != theirs[table].column_names:
            yield f"{'.'.join(table)}: {ours[table].column_names}, {theirs[table].column_names}"
            continue
        own, other = _rows(table, ours[table], names[0]), _rows(table, theirs[table], names[1])
        if own != other:
            pairs = [pair for pair in zip(own, other, strict=False) if pair[0] != pair[1]]
            yield f"{'.'.join(table)}: {len(own)} and {len(other)} rows, first {pairs[:1]}"


def _names_of_keys(tables: Mapping[TableName, pa.Table]) -> dict[str, dict[Any, Any]]:
    """What each key stands for, by the column that it is in."""
    manifests = _names(tables["intermediate", "manifest_keys"], "manifest_key", "manifest_digest")
    blobs = _names(tables["intermediate", "blob_keys"], "blob_key", "blob_digest")
    return dict.fromkeys(_MANIFESTS, manifests) | {"blob_key": blobs}


def _names(table: pa.Table, key: str, name: str) -> dict[Any, Any]:
    return dict(zip(table[key].to_pylist(), table[name].to_pylist(), strict=True))


def _rows(table: TableName, rows: pa.Table, names: Mapping[str, dict[Any, Any]]) -> list[Row]:
    """The rows with names for keys; a report's in its order, as an intermediate has none."""
    columns = [
        [names[name].get(key) for key in rows[name].to_pylist()]
        if name in names
        else rows[name].to_pylist()
        for name in rows.column_names
        if name not in _WITHOUT_NAME
    ]
    found = list(zip(*columns, strict=True))
    return found if table[0] == "reports" else sorted(found, key=lambda row: [*map(str, row)])


def _by_duckdb(con: DuckDBPyConnection) -> dict[TableName, pa.Table]:
    create_macros(con)
    with intermediates_attached(con):
        for table in _TABLES:
            run_build_step(con, Action.CREATE, *table)
        return {
            table: con.sql(
                f"from {'.'.join(table)} {_NEW if text_of(table).deleted else ''}"
            ).to_arrow_table()
            for table in _TABLES
        }


def _by_spark(con: DuckDBPyConnection, lake: Lake, master: str) -> dict[TableName, pa.Table]:
    for table in _TABLES:
        for sql in text_of(table).made_before:
            con.execute(sql)
    loaded = con.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and schema_name <> 'intermediate'"
    ).fetchall()
    with lake.work() as work, ThreadPoolExecutor(4) as pool:
        tables = Tables(spark_session(master), lake, work, is_rebuilt=False)
        tables.show(mirror(con, lake, loaded))
        walk = Walk(_TABLES, kept=frozenset(_TABLES))
        [*going_through(walk, 4, lambda table: pool.submit(tables.make, table), tables.drop)]
        read = {table: lake.rows(f"{work}/{view_of(table)}") for table in _TABLES}
        return {
            table: pa.Table.from_batches(rows.batches, rows.schema) for table, rows in read.items()
        }
