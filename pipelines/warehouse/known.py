"""What the last runs knew, for the next crawl to compare with. Reads the state.

Each function opens a cursor of its own, so that several threads may use one connection, and
raises WarehouseError if the file is damaged.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.connection import cursor, one_line
from pipelines.warehouse.migrations import pending
from pipelines.warehouse.statements import statement


def published_runs(con: DuckDBPyConnection) -> list[str]:
    """Identifiers of the runs the warehouse was made by, the latest last."""
    with _cursor(con) as own:
        rows = own.execute("select run_id from ingest.runs order by as_of").fetchall()
    return [run_id for (run_id,) in rows]


def known_repositories(con: DuckDBPyConnection) -> pa.Table:
    """Repositories held for alive, one row each.

    Columns: namespace, repository, status (of its latest crawl that did not fail; null if none),
    record_count (live tags and counted records, each key once), newest_updated_at (over these),
    tied_at_newest (how many of them were updated within the second of the newest), is_misdated
    (whether some have no date, or one after they were read).
    """
    with _cursor(con) as own:
        table: pa.Table = own.sql(statement("known_repositories")).to_arrow_table()
    return table


def known_rules(con: DuckDBPyConnection) -> pa.Table:
    """Repositories of which retention rules were read: what the list said then, and their log.

    Columns: namespace, repository, list_entry, newest_deleted_at (null where the log has nothing).
    Empty where an earlier release wrote the state.
    """
    with _cursor(con) as own:
        if pending(own):
            return pa.table({})
        table: pa.Table = own.sql(statement("known_rules")).to_arrow_table()
    return table


def known_newest(con: DuckDBPyConnection, least: int) -> pa.Table:
    """The last known version of each repository's newest records, repository by repository.

    Columns: namespace, repository, record_key, fingerprint, updated_at.

    Args:
        con: the published warehouse.
        least: how many of each repository; those tied with the newest come in any case.
    """
    with _cursor(con) as own:
        found = own.sql(statement("known_newest"), params={"least": least})
        table: pa.Table = found.to_arrow_table()
    return table


def known_records(
    con: DuckDBPyConnection, namespace: str, repository: str, keys: Sequence[str] | None
) -> pa.Table:
    """The last known version of a repository's records: record_key, fingerprint, updated_at.

    Args:
        con: the published warehouse.
        namespace: of the repository.
        repository: its name.
        keys: the records to look up; None for all.
    """
    asked = {"namespace": namespace, "repository": repository, "keys": keys}
    with _cursor(con) as own:
        table: pa.Table = own.sql(statement("known_records"), params=asked).to_arrow_table()
    return table


def latest_run(con: DuckDBPyConnection) -> dict[str, Any] | None:
    """The row of the latest run in `ingest.runs`; None before the first."""
    with _cursor(con) as own:
        rows: list[dict[str, Any]] = own.sql(statement("latest_run")).to_arrow_table().to_pylist()
    return rows[0] if rows else None


def latest_moment(con: DuckDBPyConnection) -> datetime | None:
    """The latest moment that the runs stored of themselves; None before the first."""
    with _cursor(con) as own:
        [(latest,)] = own.execute(statement("latest_moment")).fetchall()
    return None if latest is None else latest.astimezone(UTC)


def stored_registry(con: DuckDBPyConnection) -> dict[str, Any] | None:
    """The registry that the warehouse holds: registry, endpoint, region, domain.

    None where no run has stored it.
    """
    with _cursor(con) as own:
        found = own.sql("from registries order by last_seen_at desc limit 1")
        rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows[0] if rows else None


@contextmanager
def _cursor(con: DuckDBPyConnection) -> Iterator[DuckDBPyConnection]:
    try:
        with closing(cursor(con)) as own:
            yield own
    except duckdb.Error as error:
        raise WarehouseError(
            f"The state is damaged ({one_line(error)}): put back a copy of it, or begin with a"
            " published file by `swr-warehouse restore FILE`."
        ) from error
