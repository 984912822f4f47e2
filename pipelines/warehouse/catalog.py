"""What the warehouse says of itself: its tables and columns with their types and comments."""

from dataclasses import dataclass
from functools import cache

import duckdb
import msgspec

from pipelines.schemas import BEHIND_LAYERS, LAYERS_VIEW
from pipelines.warehouse.build_plan import statements_in
from pipelines.warehouse.derived import derived
from pipelines.warehouse.migrations import make_tables
from pipelines.warehouse.reports import build_reports

_COLUMNS = """
    select
        relations.schema_name,
        relations.name,
        relations.comment,
        columns.column_name,
        columns.data_type,
        columns.comment
    from (
        select schema_name, table_name as name, table_oid as oid, comment
        from duckdb_tables() where not internal and not temporary
        union all
        select schema_name, view_name, view_oid, comment
        from duckdb_views() where not internal and not temporary
    ) as relations
    inner join duckdb_columns() as columns
        on relations.schema_name = columns.schema_name and relations.name = columns.table_name
    order by relations.schema_name, relations.name, columns.column_index
"""


# Small tables share a block; each is counted where any part of a table lies in it.
_BLOCKS = """
    select
        count(distinct block_id) * (
            select block_size from pragma_database_size()
            where database_name = current_database()
        )
    from (
        select block_id from pragma_storage_info($name) where block_id >= 0
        union all
        select unnest(additional_block_ids) from pragma_storage_info($name)
    ) as blocks
"""


@dataclass(frozen=True)
class ColumnEntry:
    """A column as the dictionary shows it."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True)
class TableEntry:
    """A table or view as the dictionary shows it."""

    schema: str
    name: str
    comment: str | None
    columns: tuple[ColumnEntry, ...]


def catalog(con: duckdb.DuckDBPyConnection) -> list[TableEntry]:
    """Describe every table and view, by schema and name."""
    entries: dict[tuple[str, str, str | None], list[ColumnEntry]] = {}
    for schema, table, comment, *column in con.execute(_COLUMNS).fetchall():
        entries.setdefault((schema, table, comment), []).append(ColumnEntry(*column))
    return [TableEntry(*key, tuple(columns)) for key, columns in entries.items()]


def stored_bytes(con: duckdb.DuckDBPyConnection, *schemas: str) -> dict[str, int]:
    """Bytes of the blocks each table of some schemas has a part in, by `schema.table`.

    Those of `main.layers` are of the tables behind it. Brings all to disk first.
    """
    con.execute("checkpoint")
    tables = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database() and schema_name in (select unnest(?))"
        " order by all",
        [schemas],
    ).fetchall()
    sizes = {name: con.execute(_BLOCKS, {"name": name}).fetchall()[0][0] for (name,) in tables}
    behind = [sizes[name] for name in map(".".join, BEHIND_LAYERS) if name in sizes]
    return sizes | ({".".join(LAYERS_VIEW): sum(behind)} if behind else {})


@cache
def empty_catalog() -> tuple[TableEntry, ...]:
    """Describe a warehouse made from nothing."""
    if kept := derived():
        return msgspec.convert(kept.tables, tuple[TableEntry, ...])
    return derive_catalog()


def derive_catalog() -> tuple[TableEntry, ...]:
    """Make a warehouse from nothing, in memory, and describe it."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        make_tables(con)
        build_reports(con)
        # Only a warehouse of several registries has it.
        con.execute(statements_in("registries")["replicas"])
        return tuple(catalog(con))


def data_dictionary() -> str:
    """Write docs/data-dictionary.md: every table of a warehouse, in its own words."""
    parts = [
        "# Data dictionary\n",
        "Made from the comments in the warehouse itself by `make docs`; a test holds it current.\n",
    ]
    for entry in empty_catalog():
        parts.append(f"## {entry.schema}.{entry.name}\n\n{entry.comment}\n")
        rows = [
            f"| `{column.name}` | {column.type.lower()} | {_cell(column.comment)} |"
            for column in entry.columns
        ]
        parts.append("\n".join(["| column | type | meaning |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _cell(comment: str | None) -> str:
    return (comment or "").replace("|", "\\|")


if __name__ == "__main__":
    print(data_dictionary(), end="")  # noqa: T201 - this is the output
