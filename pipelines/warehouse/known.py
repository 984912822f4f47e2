"""What the last runs knew, for the next crawl to compare with. Reads the published warehouse."""

from collections.abc import Sequence

import pyarrow as pa
from duckdb import DuckDBPyConnection


def known_repositories(con: DuckDBPyConnection) -> pa.Table:
    """Repositories held for alive, one row each.

    Columns: namespace, repository, status (of its latest crawl that did not fail; null if none),
    record_count (live tags and counted records, each key once), newest_updated_at (over these),
    tied_at_newest (how many of them were updated within the second of the newest).
    """
    raise NotImplementedError


def known_records(
    con: DuckDBPyConnection, namespace: str, repository: str, keys: Sequence[str] | None
) -> pa.Table:
    """The last known version of a repository's records: record_key, fingerprint, updated_at.

    May be called from several threads at once.

    Args:
        con: the published warehouse.
        namespace: of the repository.
        repository: its name.
        keys: the records to look up; None for all.
    """
    raise NotImplementedError
