"""How DuckDB files are opened here, and how a transaction is kept.

Each file is attached to a database of its own in memory: DuckDB hands out one open database per
path within a process, so a plain second `duckdb.connect` would go on reading a file that has been
replaced. As there is no write-ahead log, what is not checkpointed is lost if the process dies.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import duckdb
from duckdb import DuckDBPyConnection

from pipelines.warehouse.resources import LEAST, Resources

T = TypeVar("T")

# The name of the database in a connection, whatever the file is called.
DATABASE = "warehouse"

# A checkpoint rewrites the last, unfinished row group of every table that grew. At DuckDB's own
# 122,880 rows a group of manifests is half a gigabyte and took most of the time of a load; hence
# smaller groups, and fewer checkpoints than after every 16 MB.
_WRITABLE = "recovery_mode no_wal_writes, row_group_size 30720"
# A new file is one that every client from 1.2 on opens; an old one keeps its version.
_STORAGE = "storage_version 'v1.2.0'"
_Config = dict[str, str | bool | int | float | list[str]]


def open_writable(path: Path, temporary: Path, resources: Resources = LEAST) -> DuckDBPyConnection:
    """Open or make a file to write, in UTC, with a directory for what memory cannot hold."""
    config = _own_config(temporary, resources) | {"checkpoint_threshold": "64MB"}
    options = _WRITABLE if path.exists() else f"{_WRITABLE}, {_STORAGE}"
    return _attach(duckdb.connect(config=config), path, options)


def open_for_counting(
    path: Path, temporary: Path, resources: Resources = LEAST
) -> DuckDBPyConnection:
    """Open a file to read with SQL of ours, with a directory for what memory cannot hold."""
    return _attach(duckdb.connect(config=_own_config(temporary, resources)), path, "read_only")


def open_read_only(path: Path) -> DuckDBPyConnection:
    """Open a file to read, in UTC, shut off from all other files, the network and extensions."""
    config: _Config = {
        "temp_directory": "",
        "python_enable_replacements": False,
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
    }
    con = _attach(duckdb.connect(config=config), path, "read_only")
    con.execute("set enable_external_access = false; set lock_configuration = true")
    return con


def retry_with_more_memory(con: DuckDBPyConnection, action: Callable[[], T]) -> T:
    """Do something; where the memory limit is too tight for it, again with half as much more.

    And so on, up to what DuckDB would take by itself: not all that it does can go on on disk. The
    limit stays where it then is. What failed must have undone itself: be one sentence, or a
    transaction.
    """
    while True:
        try:
            return action()
        except duckdb.Error as error:
            if not (is_short_of_memory(error) and _raise_memory_limit(con)):
                raise


def _raise_memory_limit(con: DuckDBPyConnection) -> bool:
    """Raise it by half; False if there was no more to be had."""
    limit = _memory_limit(con)
    con.execute("reset memory_limit")
    most = _memory_limit(con)
    con.execute(f"set memory_limit = '{min(limit + limit // 2, most)}B'")
    return limit < most


def _memory_limit(con: DuckDBPyConnection) -> int:
    sql = "select parse_formatted_bytes(current_setting('memory_limit'))"
    [(limit,)] = con.execute(sql).fetchall()
    return int(limit)


def cursor(con: DuckDBPyConnection, database: str = DATABASE) -> DuckDBPyConnection:
    """Another connection to the same database, for use by another thread.

    Nothing is asked of `con`, which may be at work.
    """
    other = con.cursor()
    other.execute(f"use {database}")
    return other


@contextmanager
def transaction(con: DuckDBPyConnection) -> Iterator[None]:
    """Commit at the end, or roll back if anything is raised."""
    con.begin()
    try:
        yield
    except BaseException:
        # What went wrong is what counts, even if the database cannot be used any more.
        with suppress(duckdb.Error):
            con.rollback()
        raise
    con.commit()


def one_line(error: duckdb.Error) -> str:
    """DuckDB's message without the excerpt of the SQL it may end with."""
    return " ".join(str(error).split("\n\nLINE ")[0].split())


def is_environment_failure(error: duckdb.Error) -> bool:
    """Whether disk, memory or a damaged file is to blame, and not a sentence of ours."""
    outages = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException)
    # A wrong checksum comes as no class of its own, nor does what a commit met.
    return (
        isinstance(error, outages)
        or type(error) is duckdb.Error
        or (isinstance(error, duckdb.TransactionException) and "Failed to commit" in str(error))
    )


def is_short_of_memory(error: duckdb.Error) -> bool:
    """Whether the memory limit is to blame."""
    # A commit says in words only what it is short of.
    return isinstance(error, duckdb.OutOfMemoryException) or any(
        words in str(error) for words in ("failed to pin", "failed to allocate", "not allocate")
    )


def _own_config(temporary: Path, resources: Resources) -> _Config:
    config: _Config = {
        "temp_directory": str(temporary),
        "threads": resources.threads,
        "python_enable_replacements": False,
    }
    if resources.memory_bytes:
        config["memory_limit"] = f"{resources.memory_bytes}B"
    return config


def _attach(con: DuckDBPyConnection, path: Path, option: str) -> DuckDBPyConnection:
    try:
        con.execute("set global TimeZone = 'UTC'")
        con.execute(f"attach ? as {DATABASE} ({option})", [str(path)])
        con.execute(f"use {DATABASE}")
    except BaseException:
        con.close()
        raise
    return con
