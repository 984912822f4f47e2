"""What the last runs knew, for the next crawl to compare with. Reads the published warehouse.

Each function opens a cursor of its own: several threads may use one connection.
"""

from collections.abc import Sequence
from contextlib import closing

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.warehouse.connection import cursor
from pipelines.warehouse.sentences import sentence


def published_runs(con: DuckDBPyConnection) -> list[str]:
    """Identifiers of the runs the warehouse was made by, the latest last."""
    with closing(cursor(con)) as own:
        rows = own.execute("select run_id from ingest.runs order by as_of").fetchall()
    return [run_id for (run_id,) in rows]


def known_repositories(con: DuckDBPyConnection) -> pa.Table:
    """Repositories held for alive, one row each.

    Columns: namespace, repository, status (of its latest crawl that did not fail; null if none),
    record_count (live tags and counted records, each key once), newest_updated_at (over these),
    tied_at_newest (how many of them were updated within the second of the newest).
    """
    with closing(cursor(con)) as own:
        table: pa.Table = own.sql(sentence("known", "repositories")).to_arrow_table()
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
    with closing(cursor(con)) as own:
        table: pa.Table = own.sql(sentence("known", "records"), params=asked).to_arrow_table()
    return table
