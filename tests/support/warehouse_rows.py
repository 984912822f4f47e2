"""Runs written by hand for the tests of the warehouse: rows with defaults, and a run a day.

Run n's `as_of` is noon of day n; its crawls start a quarter past and finish at half past.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from layer_rows import listed_layers

from pipelines import schemas
from pipelines.warehouse import load
from pipelines.warehouse.building import BUILDING, connect_building, start_building
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import run_query
from pipelines.warehouse.resources import Resources
from pipelines.warehouse.state import has_state

Row = dict[str, Any]
REGISTRY = "cn-north-4"


def as_of(run: int) -> datetime:
    """Noon of the run's day."""
    return datetime(2024, 5, run, 12, tzinfo=UTC)


def started(run: int) -> datetime:
    """When the run's crawls start."""
    return datetime(2024, 5, run, 12, 15, tzinfo=UTC)


def finished(run: int) -> datetime:
    """When the run's crawls finish."""
    return datetime(2024, 5, run, 12, 30, tzinfo=UTC)


def pushed(minute: int) -> datetime:
    """A moment of the registry's own, long before the runs."""
    return datetime(2024, 1, 1, minute // 60, minute % 60, tzinfo=UTC)


def tag(name: str, digest: str, minute: int = 0, **other: Any) -> Row:
    """A live tag."""
    row: Row = {
        "namespace": "team",
        "repository": "app",
        "tag": name,
        "manifest_digest": digest,
        "updated_at": pushed(minute),
        "repo_id": 7,
    }
    return row | other


def deleted(name: str, digest: str, minute: int = 0, **other: Any) -> Row:
    """A record that says of itself that it is deleted."""
    return tag(name, digest, minute, api_deleted_at=pushed(minute), **other)


def counted(key: str, fingerprint: str, minute: int | None = None, **other: Any) -> Row:
    """A record that could not be used."""
    row: Row = {
        "namespace": "team",
        "repository": "app",
        "record_key": key,
        "fingerprint": fingerprint,
        "updated_at": None if minute is None else pushed(minute),
    }
    return row | other


def crawl(run: int, status: str = "complete", *, everything: bool = True, **other: Any) -> Row:
    """How a reading went; without `everything` a complete one brings changes only."""
    row: Row = {
        "namespace": "team",
        "repository": "app",
        "status": status,
        "requests": 1,
        "pages": 1,
        "received": 0,
        "duplicates": 0,
        "attempts": 1,
        "started_at": started(run),
        "finished_at": finished(run),
        "lists_everything": everything and status == "complete",
    }
    return row | other


def listed(**other: Any) -> Row:
    """A repository of the list."""
    row: Row = {"namespace": "team", "repository": "app", "is_public": False}
    return row | other


def namespace(name: str = "team", status: str = "complete", **other: Any) -> Row:
    """A visible namespace."""
    row: Row = {"namespace": name, "list_status": status, "unreadable_repositories": 0}
    return row | other


def manifest(digest: str, **other: Any) -> Row:
    """A verified image manifest."""
    row: Row = {
        "manifest_digest": digest,
        "source": "tag",
        "manifest_kind": "image",
        "size_basis": "exact",
        "digest_verified": True,
        "manifest_bytes": 2,
        "manifest": "{}",
    }
    return row | other


def layer(digest: str, position: int, blob: str, **other: Any) -> Row:
    """A layer of one byte."""
    row: Row = {
        "manifest_digest": digest,
        "position": position,
        "blob_digest": blob,
        "size_bytes": 1,
        "is_stored": True,
        "prefix_digest": "prefix",
    }
    return row | other


def run_row(run: int) -> load.Run:
    """What is logged of a run."""
    fields: Row = {
        "run_id": f"run {run}",
        "registry": REGISTRY,
        "as_of": as_of(run),
        "mode": "incremental",
        "started_at": as_of(run),
        "finished_at": None,
        "status": "complete",
        "scope": "{}",
        "unread_namespaces": 0,
        "unread_repositories": 0,
        "stale_days": 180,
        "requests": 1,
        "retries": 0,
        "throttled_seconds": 0.0,
        "failed_namespaces": 0,
        "received_bytes": 0,
        "exact_hours": 48.0,
        "clock_set_back_seconds": None,
        "clock_offset_seconds": None,
        "reader_version": 1,
        "report_labels": None,
        "price_per_gb_month": None,
        "currency": None,
        "in_use_days": None,
    }
    return load.Run(**fields)


def table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Rows as Arrow; what a row leaves out is null."""
    return pa.Table.from_pylist(list(rows), schema=schema)


def found_in(repositories: Sequence[Row] = (), namespaces: Sequence[Row] = ()) -> load.Found:
    """What a run listed."""
    registry = {"endpoint": "swr-api.cn-north-4.myhuaweicloud.com", "region": "cn-north-4"}
    return load.Found(
        table([registry], schemas.REGISTRIES),
        table(namespaces, schemas.NAMESPACES),
        table(repositories, schemas.REPOSITORIES),
    )


def begin_building(directory: Path) -> None:
    """Make a building file of what is there; the empty one that a first run makes is a copy."""
    if has_state(directory):
        start_building(directory)
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / BUILDING).write_bytes(empty_building())


@cache  # the migrations take half of such a run's time
def empty_building() -> bytes:
    """A building file, or a state, before the first run."""
    with TemporaryDirectory() as directory:
        start_building(Path(directory))
        return (Path(directory) / BUILDING).read_bytes()


def ingest(
    directory: Path,
    run: int,
    crawls: Sequence[Row],
    tags: Sequence[Row] = (),
    *,
    rejected: Sequence[Row] = (),
    records: Sequence[Row] = (),
    repositories: Sequence[Row] = (),
    namespaces: Sequence[Row] = (),
    memory_bytes: int | None = None,
) -> None:
    """Load one run and publish it; every digest gets a manifest of kind image."""
    begin_building(directory)
    with connect_building(directory, Resources(memory_bytes)) as con:
        load.begin(con, REGISTRY)
        load.stage_tags(con, table(tags, schemas.TAGS))
        load.stage_rejected(con, table(rejected, schemas.COUNTED), table(records, schemas.REJECTED))
        manifests = [manifest(digest) for digest in {row["manifest_digest"] for row in tags}]
        load.load_images(
            con,
            (
                table(manifests, schemas.MANIFESTS),
                *listed_layers([]),
                schemas.PLATFORMS.empty_table(),
            ),
            as_of(run),
        )
        found = found_in(repositories, namespaces)
        load.apply(con, run_row(run), found, table(crawls, schemas.CRAWLS))
    publish(directory)


def rows(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    """Answer of the published warehouse, as tuples."""
    answer = run_query(directory, sql)
    return list(zip(*(column.to_pylist() for column in answer.columns), strict=True))
