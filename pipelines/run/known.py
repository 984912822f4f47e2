"""What the published warehouse already knows of each repository, as the reading order wants it.

Bridges `warehouse`, which knows tables, and `swr`, which knows records. Reads only.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.run.identity import RegistryIdentity
from pipelines.run.request import Name
from pipelines.run.retention_rules import KnownRules
from pipelines.swr.paging import SHORT_LIMIT, KnownRecords, RecordVersion
from pipelines.warehouse.known import (
    known_newest,
    known_records,
    known_repositories,
    known_rules,
    latest_moment,
    published_runs,
    stored_registry,
)
from pipelines.warehouse.state import connect_state, has_state

# Only after these is the known state one that can be compared with.
_PROVEN = {"complete", "unchanged"}


class StoredRepositories:
    """The published warehouse as seen by a crawl; empty where there is none.

    Close it before publishing: DuckDB keeps a file open in one process under its first name.
    """

    def __init__(self, directory: Path) -> None:
        self._con = connect_state(directory) if has_state(directory) else None
        self._runs = published_runs(self._con) if self._con else []
        rows = known_repositories(self._con).to_pylist() if self._con else []
        self._repositories = {(row["namespace"], row["repository"]): row for row in rows}
        # Asked for at once: one question a repository costs more than reading an unchanged one.
        self._newest = known_newest(self._con, SHORT_LIMIT) if self._con else None
        self._places = _places(self._newest)

    def close(self) -> None:
        """Close the warehouse."""
        if self._con:
            self._con.close()

    def last_run(self) -> str | None:
        """The run that published it."""
        return self._runs[-1] if self._runs else None

    def runs(self) -> frozenset[str]:
        """All runs that it holds."""
        return frozenset(self._runs)

    def names(self) -> list[Name]:
        """Repositories that were there when last read."""
        return list(self._repositories)

    def latest_moment(self) -> datetime | None:
        """The latest moment that its runs stored of themselves; None before the first."""
        return latest_moment(self._con) if self._con else None

    def rules(self) -> dict[Name, KnownRules]:
        """What is known of the retention rules of each repository."""
        rows = known_rules(self._con).to_pylist() if self._con else []
        return {
            (row["namespace"], row["repository"]): KnownRules(
                row["list_entry"], row["newest_deleted_at"]
            )
            for row in rows
        }

    @property
    def registry(self) -> RegistryIdentity | None:
        """The registry it holds; None where it holds none, or does not say which."""
        return registry_in(self._con) if self._con else None

    def record_count(self, name: Name) -> int:
        """How many records a repository held when it was last read."""
        row = self._repositories.get(name)
        return row["record_count"] if row else 0

    def get(self, name: Name) -> KnownRecords | None:
        """What to compare an incremental reading with.

        None if the last one proved nothing, or records with wrong dates could hide changes.
        """
        con, row = self._con, self._repositories.get(name)
        if con is None or row is None or row["status"] not in _PROVEN or row["is_misdated"]:
            return None

        def lookup(keys: Collection[str]) -> dict[str, RecordVersion]:
            known = self._newest_of(name)
            if missing := [key for key in keys if key not in known]:
                known |= _versions(known_records(con, *name, missing))
            return {key: known[key] for key in keys if key in known}

        return KnownRecords(
            row["record_count"], row["newest_updated_at"], row["tied_at_newest"], lookup
        )

    def _newest_of(self, name: Name) -> dict[str, RecordVersion]:
        """The newest records of a repository, out of those asked for at the start."""
        if self._newest is None or name not in self._places:
            return {}
        return _versions(self._newest.slice(*self._places[name]))


def registry_in(con: DuckDBPyConnection) -> RegistryIdentity | None:
    """The registry that a warehouse holds; None where it holds none, or does not say which."""
    row = stored_registry(con)
    if row is None:
        return None
    return RegistryIdentity(row["registry"], row["endpoint"], row["region"], row["domain"])


class ReadWhole:
    """What a full crawl compares with: nothing but how many records there were."""

    def __init__(self, stored: StoredRepositories) -> None:
        self.record_count = stored.record_count

    def get(self, name: Name) -> KnownRecords | None:
        """Nothing, so that every repository is read whole."""
        del name
        return None


def _places(newest: pa.Table | None) -> dict[Name, tuple[int, int]]:
    """Where each repository's records begin, and how many they are."""
    places: dict[Name, tuple[int, int]] = {}
    if newest is None:
        return places
    columns = (newest[name].to_pylist() for name in ("namespace", "repository"))
    for row, name in enumerate(zip(*columns, strict=True)):
        begin, length = places.get(name, (row, 0))
        places[name] = begin, length + 1
    return places


def _versions(table: pa.Table) -> dict[str, RecordVersion]:
    return {
        row["record_key"]: RecordVersion(
            row["updated_at"] and row["updated_at"].astimezone(UTC), row["fingerprint"]
        )
        for row in table.to_pylist()
    }
