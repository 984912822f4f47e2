"""Bring a DuckDB file to the present schema by the numbered files of sql/migrations."""

import hashlib
from collections.abc import Collection
from importlib.resources import files
from importlib.resources.abc import Traversable

from duckdb import CatalogException, DuckDBPyConnection

from pipelines.errors import MigrationChanged, WarehouseTooNew
from pipelines.schemas import TABLES, comment_of
from pipelines.warehouse.connection import transaction

SHIPPED = files("sql").joinpath("migrations")


def make_tables(con: DuckDBPyConnection) -> None:
    """Bring the file to the present schema, with the comments of `pipelines.schemas`.

    Raises as `migrate`.
    """
    if migrate(con):
        describe_tables(con)


def describe_tables(con: DuckDBPyConnection) -> None:
    """Give every table and column its comment."""
    for (schema, table), columns in TABLES.items():
        name = f"{schema}.{table}"
        con.execute(f"comment on table {name} is {literal(comment_of(columns))}")
        for column in columns:
            comment = literal(comment_of(column))
            con.execute(f"comment on column {name}.{column.name} is {comment}")


def migrate(
    con: DuckDBPyConnection,
    folder: Traversable = SHIPPED,
    *,
    only: Collection[str] | None = None,
) -> list[str]:
    """Apply what is pending, all in one transaction; return the names applied.

    Args:
        con: the file to bring up to date.
        folder: of the migrations.
        only: names of those to apply; None for all.

    Raises:
        MigrationChanged: an applied migration is not the file it was.
        WarehouseTooNew: the file has a migration unknown to this version.
    """
    names = [name for name in pending(con, folder) if only is None or name in only]
    with transaction(con):
        for name in names:
            sql = folder.joinpath(name).read_text("utf-8")
            con.execute(sql)
            row = [int(name[:4]), name, _sha256(sql)]
            con.execute("insert into ingest.migrations values (?, ?, ?, now())", row)
    return names


def pending(con: DuckDBPyConnection, folder: Traversable = SHIPPED) -> list[str]:
    """Names of the migrations that are not applied yet, in order; raises as `migrate`."""
    shipped = {int(f.name[:4]): f for f in folder.iterdir() if f.name.endswith(".sql")}
    applied = _applied(con)
    for number, name, sha256 in applied:
        if number not in shipped:
            raise WarehouseTooNew(
                f"The warehouse has migration {name}, unknown to this version of swr-warehouse:"
                " install the version that wrote it, or a newer one."
            )
        if _sha256(shipped[number].read_text("utf-8")) != sha256:
            raise MigrationChanged(
                f"Migration {shipped[number].name} is not the file that was applied as {name}:"
                " restore it, and write changes as a new migration."
            )
    known = {number for number, _, _ in applied}
    return sorted(file.name for number, file in shipped.items() if number not in known)


def applied_names(con: DuckDBPyConnection) -> list[str]:
    """Names of the migrations of a file, in order; none where it is no warehouse."""
    return sorted(name for _, name, _ in _applied(con))


def _applied(con: DuckDBPyConnection) -> list[tuple[int, str, str]]:
    try:
        return con.execute("select number, name, sha256 from ingest.migrations").fetchall()
    except CatalogException:
        return []


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
