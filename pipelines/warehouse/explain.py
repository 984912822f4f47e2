"""Where the figures of a tag, a manifest or a repository come from, by the published warehouse.

The same intermediates that reports are built from give every blob, its users, and what is not
known. How it is shown is `pipelines.page.explanation`'s.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.warehouse.asking import Asked, asking_on
from pipelines.warehouse.query import open_published
from pipelines.warehouse.resources import LEAST, Resources
from pipelines.warehouse.targets import Target, find_target

Row = dict[str, Any]
QUESTIONS = ("explained_blobs", "first_users", "explained_gaps", "manifest_users")
_LARGEST = 10
_MANIFESTS = pa.schema([("manifest_digest", pa.string())])
_BLOBS = pa.schema([("blob_digest", pa.string())])
_REPOSITORIES = pa.schema([("namespace", pa.string()), ("repository", pa.string())])
_SIZES = {
    "tag": """
        select sizes.*, seen.is_seen, seen.last_seen_at, seen.clusters
        from reports.tag_sizes as sizes
        inner join reports.tag_use as seen using (registry, namespace, repository, tag)
        where (sizes.namespace, sizes.repository, sizes.tag) = (?, ?, ?)
    """,
    "repository": "from reports.repository_sizes where (namespace, repository) = (?, ?)",
}
_DIGESTS = """
    select distinct manifest_digest from main.tags where (namespace, repository) = (?, ?)
"""
_KINDS = "select manifest_kind from main.manifests where manifest_digest = ?"


@dataclass(frozen=True)
class Explanation:
    """What is known of a target.

    Attributes:
        target: what was asked for.
        as_of: the moment the figures speak of.
        manifest_kind: of a tag's manifest or the manifest itself; None of a repository.
        sizes: the row of `reports.tag_sizes`, with what `reports.tag_use` says, or of
            `reports.repository_sizes`; of a manifest `logical_bytes` and `size_basis` alone.
        blobs: rows of sql/questions/explained_blobs.sql, each with the `users` that are first by
            name; of a repository the largest that nobody else uses.
        users: the first live tags by name that reach the manifest, and `user_count` of them all.
        gaps: rows of sql/questions/explained_gaps.sql.
    """

    target: Target
    as_of: datetime
    manifest_kind: str | None
    sizes: Row
    blobs: list[Row]
    users: list[Target]
    user_count: int
    gaps: list[Row]


def explain(directory: Path, name: str, resources: Resources = LEAST) -> Explanation:
    """Explain NS/REPO, NS/REPO:TAG or NS/REPO@DIGEST.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: there is nothing of that name; names the nearest.
    """
    with (
        TemporaryDirectory(prefix="swr-warehouse-") as spill,
        open_published(directory, Path(spill), resources) as con,
    ):
        return explain_on(con, name)


def explain_on(con: DuckDBPyConnection, name: str) -> Explanation:
    """The same of an open warehouse."""
    target = find_target(con, name)
    [(as_of,)] = con.sql("select as_of from reports.registry_size").fetchall()
    with asking_on(con, QUESTIONS) as asked:
        manifests = _manifests(con, target)
        blobs = asked.ask("explained_blobs", chosen_manifests=manifests).to_pylist()
        gaps = _gaps(asked, target, manifests)
        users = asked.ask("manifest_users", chosen_manifests=manifests).to_pylist()
        shown = blobs if target.digest else _exclusive(blobs)
        return Explanation(
            target=target,
            as_of=as_of,
            manifest_kind=_kind(con, target),
            sizes=_sizes(con, target) or _sizes_of(blobs, gaps),
            blobs=_with_users(asked, shown),
            users=[_named(row) for row in users] if target.digest else [],
            user_count=users[0]["tag_count"] if users else 0,
            gaps=gaps,
        )


def _manifests(con: DuckDBPyConnection, target: Target) -> pa.Table:
    """The manifests that it points at."""
    digests = [target.digest]
    if target.digest is None:
        digests = [digest for (digest,) in con.execute(_DIGESTS, target[:2]).fetchall()]
    return pa.table([pa.array(digests, pa.string())], schema=_MANIFESTS)


def _kind(con: DuckDBPyConnection, target: Target) -> str | None:
    if target.digest is None:
        return None
    found = con.execute(_KINDS, [target.digest]).fetchall()
    return str(found[0][0]) if found else "unread"


def _gaps(asked: Asked, target: Target, manifests: pa.Table) -> list[Row]:
    place = [] if target.digest else [{"namespace": target[0], "repository": target[1]}]
    repositories = pa.Table.from_pylist(place, schema=_REPOSITORIES)
    gaps = asked.ask("explained_gaps", chosen_manifests=manifests, chosen_repositories=repositories)
    rows: list[Row] = gaps.to_pylist()
    return rows


def _sizes(con: DuckDBPyConnection, target: Target) -> Row | None:
    """Its row of a report; None of a manifest, which has none."""
    if target.tag is None and target.digest:
        return None
    kind, names = ("tag", target[:3]) if target.tag else ("repository", target[:2])
    answer = con.sql(_SIZES[kind], params=list(names)).to_arrow_table()
    [row] = answer.to_pylist()
    return dict(row)


def _sizes_of(blobs: Sequence[Row], gaps: Sequence[Row]) -> Row:
    """The bytes of a manifest."""
    known = [row["size_bytes"] for row in blobs if row["size_bytes"] is not None]
    is_open = any(row["is_inside"] for row in gaps)
    basis = "exact" if not is_open else "lower_bound" if known else "unknown"
    return {"logical_bytes": None if basis == "unknown" else sum(known), "size_basis": basis}


def _exclusive(blobs: Sequence[Row]) -> list[Row]:
    """The largest blobs that one repository uses alone."""
    return [row for row in blobs if row["is_stored"] and row["repository_count"] == 1][:_LARGEST]


def _with_users(asked: Asked, blobs: Sequence[Row]) -> list[Row]:
    digests = pa.array([row["blob_digest"] for row in blobs], pa.string())
    chosen = pa.table([digests], schema=_BLOBS)
    users: dict[str, list[Target]] = defaultdict(list)
    for row in asked.ask("first_users", chosen_blobs=chosen).to_pylist():
        users[row["blob_digest"]].append(_named(row))
    return [{**row, "users": users[row["blob_digest"]]} for row in blobs]


def _named(row: Row) -> Target:
    return Target(row["namespace"], row["repository"], row["tag"])
