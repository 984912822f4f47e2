"""Migrations: in order, once, all or none, and never against a file they do not fit."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import MigrationChanged, WarehouseTooNew
from pipelines.warehouse.migrations import make_tables, migrate, pending

BOOKKEEPING = """
    create schema ingest;
    create table ingest.migrations (
        number integer, name varchar, sha256 varchar, applied_at timestamptz
    );
"""


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database."""
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations and a file that is none."""
    (tmp_path / "0002_second.sql").write_text("insert into t select 2")
    (tmp_path / "0001_first.sql").write_text(f"{BOOKKEEPING} create table t as select 1 as n")
    (tmp_path / "README").write_text("no migration")
    return tmp_path


def _tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    return con.sql("select table_name from duckdb_tables() order by 1").fetchall()


def test_pending_migrations_are_applied_once_and_in_order(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    """Looking at what is pending changes nothing."""
    assert pending(con, folder) == ["0001_first.sql", "0002_second.sql"]
    assert _tables(con) == []
    assert migrate(con, folder) == ["0001_first.sql", "0002_second.sql"]
    assert con.sql("from t order by n").fetchall() == [(1,), (2,)]
    assert con.sql("select number, name from ingest.migrations order by 1").fetchall() == [
        (1, "0001_first.sql"),
        (2, "0002_second.sql"),
    ]
    assert pending(con, folder) == migrate(con, folder) == []
    (folder / "0003_third.sql").write_text("insert into t select 3")
    assert pending(con, folder) == ["0003_third.sql"]
    assert migrate(con, folder) == ["0003_third.sql"]
    assert con.sql("select count(*) from t").fetchall() == [(3,)]


def test_a_failing_migration_undoes_those_before_it(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    """All that are pending share one transaction with their bookkeeping."""
    (folder / "0003_broken.sql").write_text("insert into nowhere select 3")
    with pytest.raises(duckdb.CatalogException):
        migrate(con, folder)
    assert _tables(con) == []
    assert pending(con, folder) == ["0001_first.sql", "0002_second.sql", "0003_broken.sql"]


def test_a_changed_migration_is_refused(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Even if only a comment changed: the file is not what was applied."""
    migrate(con, folder)
    (folder / "0002_second.sql").write_text("insert into t select 2 -- changed")
    with pytest.raises(MigrationChanged, match=r"0002_second\.sql"):
        migrate(con, folder)
    with pytest.raises(MigrationChanged):
        pending(con, folder)


def test_a_warehouse_of_a_newer_version_is_refused(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    """Nothing is applied to it."""
    migrate(con, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(WarehouseTooNew, match=r"0002_second\.sql"):
        migrate(con, folder)


def test_the_shipped_migrations_comment_everything_they_make(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Tables, views and each of their columns, the bookkeeping included."""
    make_tables(con)
    assert (
        con.sql(
            """
        select table_name, null from duckdb_tables() where comment is null
        union all
        select view_name, null from duckdb_views() where comment is null and not internal
        union all
        select table_name, column_name from duckdb_columns()
        where comment is null and not internal
        """
        ).fetchall()
        == []
    )
