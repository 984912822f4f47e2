"""Tables of a DuckDB file in the lake, and rows of the lake in tables of a DuckDB file.

A table is cut by its row numbers, which stay as rows are added: of one that only grows, a run
writes the last part anew.
"""

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.engines.lake import Lake, Rows
from pipelines.warehouse.build_plan import TableName

# A part is made in memory: some tens of megabytes.
_PART_ROWS = 1_000_000
# As Spark names the types that tables have.
_TYPES = {
    "VARCHAR": "string",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BIGINT[]": "array<bigint>",
}
# Texts of manifests, most of a warehouse: no report and no check reads what is in them.
_LEFT_OUT = "BLOB"
_COLUMNS = """
    select column_name, data_type
    from duckdb_columns()
    where
        database_name = current_database()
        and schema_name = $schema
        and table_name = $name
        and data_type <> $left_out
    order by column_index
"""
_IS_TABLE = """
    select count(*)
    from duckdb_tables()
    where
        database_name = current_database() and schema_name = $schema and table_name = $name
"""


class Mirrored(NamedTuple):
    """A table in the lake: its parts, and its columns as Spark names their types."""

    parts: list[str]
    columns: str


def mirror(
    con: DuckDBPyConnection, lake: Lake, tables: Collection[TableName]
) -> dict[TableName, Mirrored]:
    """Have tables of a DuckDB file in the lake, as they are now; those that are there.

    Raises:
        LakeError: it cannot be written.
    """
    found = {table: _columns(con, table) for table in sorted(tables)}
    return {
        table: Mirrored(
            [lake.put_part(".".join(table), part) for part in _parts(con, table, columns)],
            ", ".join(f"`{name}` {_TYPES.get(kind, kind)}" for name, kind in columns.items()),
        )
        for table, columns in found.items()
        if columns
    }


def _columns(con: DuckDBPyConnection, table: TableName) -> dict[str, str]:
    schema, name = table
    values = {"schema": schema, "name": name, "left_out": _LEFT_OUT}
    return dict(con.execute(_COLUMNS, values).fetchall())


def _parts(
    con: DuckDBPyConnection, table: TableName, columns: Collection[str]
) -> Iterator[pa.Table]:
    """Cut a table; of an empty one, or of a view, there is one part."""
    schema, name = table
    [(is_table,)] = con.execute(_IS_TABLE, {"schema": schema, "name": name}).fetchall()
    part = f"rowid // {_PART_ROWS}" if is_table else "0"
    order = "" if is_table else " order by all"
    listed = ", ".join(columns)
    reader = con.sql(
        f"select {listed}, {part} as part from {schema}.{name}{order}"  # noqa: S608 - ours
    ).to_arrow_reader()
    empty = reader.schema.empty_table().drop_columns(["part"])
    is_empty = True
    for _, batches in groupby(_cut(reader), key=lambda cut: cut[0]):
        is_empty = False
        yield pa.Table.from_batches([batch for _, batch in batches]).combine_chunks()
    if is_empty:
        yield empty


def _cut(reader: pa.RecordBatchReader) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut batches where one part ends and the next begins."""
    for batch in reader:
        numbers = batch["part"].to_numpy()
        begin = 0
        while begin < len(numbers):
            end = begin + int((numbers[begin:] == numbers[begin]).sum())
            yield int(numbers[begin]), batch.slice(begin, end - begin).drop_columns(["part"])
            begin = end


def fill(con: DuckDBPyConnection, target: str, rows: Rows) -> None:
    """Append rows of the lake to a table of the same columns, in their order."""
    reader = pa.RecordBatchReader.from_batches(rows.schema, rows.batches)
    con.register("from_lake", reader)
    try:
        con.execute(f"insert into {target} by name from from_lake")
    finally:
        con.unregister("from_lake")
