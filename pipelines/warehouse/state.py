"""The state: the run's own DuckDB file, private, from which the warehouse is published.

It is the only copy of history. Nothing flows back from the published file, whatever analysts do to
it, with two exceptions: a file that a release without a state has published is taken over, and
`restore` begins with a published file on request.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.connection import one_line, open_read_only
from pipelines.warehouse.migrations import applied_names, migrate

PUBLISHED = "warehouse.duckdb"
STATE = ".state.duckdb"
# Reports whose rows of earlier runs stay as they are.
APPENDED_REPORTS = ("daily_growth", "namespace_growth", "repository_growth", "tag_events")
# The first migration of a release with a state.
_FIRST_WITH_STATE = "0004"
_APPENDED = """
    select schema_name, table_name from duckdb_tables()
    where database_name = 'adopted' and schema_name = 'reports'
    and table_name in (select unnest(?))
"""
_OF_SEVERAL = """
    select 1 from duckdb_tables() where schema_name = 'reports' and table_name = 'replicas'
"""
_TABLES = """
    select schema_name, table_name from duckdb_tables()
    where database_name = current_database()
    and schema_name in ('main', 'ingest') and table_name <> 'migrations'
"""


def has_state(directory: Path) -> bool:
    """Whether a run has ended in this directory."""
    return (directory / STATE).exists()


def connect_state(directory: Path) -> DuckDBPyConnection:
    """Open the state to read; for the run that holds the writer lock.

    Raises:
        WarehouseError: it is damaged.
    """
    path = directory / STATE
    try:
        return open_read_only(path)
    except duckdb.Error as error:
        raise damaged_state(directory, error) from error


def damaged_state(directory: Path, error: duckdb.Error) -> WarehouseError:
    """Say that the state cannot be used, and the way out."""
    return WarehouseError(
        f"The state {directory / STATE} is damaged ({one_line(error)}): put back a copy of it, or"
        f" begin with a published file by `swr-warehouse restore {directory / PUBLISHED}`."
    )


def adopt(con: DuckDBPyConnection, source: Path) -> None:
    """Fill an empty database with the rows of a published file; what else it holds stays there.

    Args:
        con: the building file, empty. Its schema is then that of the source: migrate it.
        source: a published file, of this release or an earlier one.

    Raises:
        WarehouseError: it cannot be read, or is no warehouse.
        WarehouseTooNew: it has a migration unknown to this version.
    """
    set_aside_wal(source)
    with _published(source) as published:
        applied = applied_names(published)
    migrate(con, only=applied)
    con.execute("attach ? as adopted (read_only)", [str(source)])
    try:
        for schema, table in con.execute(_TABLES).fetchall():
            name = f"{schema}.{table}"
            con.execute(f"insert into {name} by name from adopted.{name}")
        for schema, table in con.execute(_APPENDED, [list(APPENDED_REPORTS)]).fetchall():
            if _is_of_a_state(applied):
                name = f"{schema}.{table}"
                con.execute(f"create table {name} as from adopted.{name}")
    finally:
        con.execute("detach adopted")


def is_made_from_a_state(source: Path) -> bool:
    """Whether a published file is of a release that keeps a state; raises as `adopt`."""
    with _published(source) as published:
        return _is_of_a_state(applied_names(published))


def _is_of_a_state(applied: list[str]) -> bool:
    return any(name >= _FIRST_WITH_STATE for name in applied)


@contextmanager
def _published(source: Path) -> Iterator[DuckDBPyConnection]:
    try:
        with closing(open_read_only(source)) as con:
            yield con
            if not applied_names(con):
                raise WarehouseError(f"{source} is no warehouse: nothing of it was taken over.")
            if is_of_several(con):
                raise WarehouseError(
                    f"{source} is of several registries, each of which has its own state: set"
                    " SWR_REGISTRIES, or name the file that one of them has published."
                )
    except duckdb.Error as error:
        raise WarehouseError(
            f"{source} cannot be read ({one_line(error)}): close it where it is open, or move it"
            " away if it is damaged."
        ) from error


def is_of_several(con: DuckDBPyConnection) -> bool:
    """Whether a published file is one over several registries."""
    return bool(con.execute(_OF_SEVERAL).fetchall())


def set_aside_wal(published: Path) -> Path | None:
    """Rename the write-ahead log that a session of an analyst left beside a published file.

    It belongs to the very file it was written for, and no other must replay it.

    Returns:
        Its new name; None where there was none.
    """
    wal = published.with_name(f"{published.name}.wal")
    if not wal.exists():
        return None
    aside = wal.with_name(f"{wal.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    wal.replace(aside)
    return aside


def copy_file(source: Path, target: Path) -> None:
    """Copy a file for its owner only, without copying its bytes where the disk can share them."""
    target.touch(mode=0o600)
    with source.open("rb") as read, target.open("wb") as write:
        try:
            while os.copy_file_range(read.fileno(), write.fileno(), 2**30):
                pass
        except (OSError, AttributeError):  # not every system and file system can
            read.seek(0)
            write.truncate(0)
            shutil.copyfileobj(read, write, 2**20)
