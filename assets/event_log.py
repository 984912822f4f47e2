"""Dagster's event log in SQLite, with fewer events and without a disk sync for each.

Dagster's own storage opens and closes a database for each event, syncs each commit to disk, and
stores an event for each output, though no asset here passes data to another. dagster.yaml names
this storage. Files and tables are Dagster's own: each storage can continue what the other wrote.
https://docs.dagster.io/deployment/dagster-instance
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

_INDEX = "index"
_NEEDLESS = {
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.RESOURCE_INIT_STARTED,
    DagsterEventType.RESOURCE_INIT_SUCCESS,
}
# What the executor notes before the first step and after the last.
_OF_THE_EXECUTOR = {"pid", "step_keys"}


class LeanEventLog(SqliteEventLogStorage):
    """Dagster's own storage, with connections that stay open and fewer events."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        # `register_instance` does the rest: only the instance knows the folder.
        self._inst_data = inst_data
        self._engines: dict[str, Engine] = {}

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Make one, as dagster.yaml asks for it."""
        del config_value
        return cls(inst_data)

    def register_instance(self, instance: DagsterInstance) -> None:
        """Open the folder of events below the instance's."""
        folder = Path(instance.root_directory) / "history" / "runs"
        super().__init__(str(folder), self._inst_data)
        super().register_instance(instance)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, unless it is needless."""
        if not (event.dagster_event and _is_needless(event.dagster_event)):
            super().store_event(event)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Give a transaction on a file: that of all runs (`index`), or that of one run."""
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        """Keep one connection to the index and one to the file of the run asked for last."""
        if shard not in self._engines:
            self._close_all_but(_INDEX)
            if shard != _INDEX:
                _make_tables(Path(self.path_for_shard(shard)), Path(self.path_for_shard(_INDEX)))
            self._engines[shard] = sqlalchemy.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=sqlalchemy.StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            sqlalchemy.event.listen(self._engines[shard], "connect", _skip_disk_sync)
        return self._engines[shard]

    def _close_all_but(self, *kept: str) -> None:
        for shard in set(self._engines) - set(kept):
            self._engines.pop(shard).dispose()

    def dispose(self) -> None:
        """Close every file."""
        with self._db_lock:
            self._close_all_but()
        super().dispose()


def _is_needless(event: DagsterEvent) -> bool:
    """Whether an event has no information: an output, or a note of Dagster's own machinery."""
    if event.event_type is DagsterEventType.ENGINE_EVENT:
        metadata = event.engine_event_data.metadata
        return bool(metadata) and set(metadata) <= _OF_THE_EXECUTOR
    return event.event_type in _NEEDLESS


def _skip_disk_sync(connection: sqlite3.Connection, _: object) -> None:
    """Commit without a disk sync: if the machine crashes, the last events may be lost, no more."""
    connection.execute("pragma synchronous = normal")


def _make_tables(path: Path, index: Path) -> None:
    """Copy the tables of the index to a new run's file: Dagster's migrations take 0.2 s for it."""
    with (
        closing(sqlite3.connect(path, SQLITE_BUSY_TIMEOUT_SECONDS, isolation_level=None)) as new,
        closing(sqlite3.connect(index, SQLITE_BUSY_TIMEOUT_SECONDS)) as known,
    ):
        _skip_disk_sync(new, None)
        new.execute("pragma journal_mode = wal")
        # Another process may be making them just now.
        new.execute("begin immediate")
        if new.execute("select 1 from sqlite_master").fetchone() is None:
            for (sql,) in known.execute("select sql from sqlite_master where sql is not null"):
                if not sql.startswith("CREATE TABLE sqlite_"):
                    new.execute(sql)
            for row in known.execute("select version_num from alembic_version"):
                new.execute("insert into alembic_version values (?)", row)
        new.execute("commit")
