"""Give up repositories that can be read no more and that nothing will ever confirm to be gone.

A permission that was lost for good answers 403 for ever: what was known stays, grows old and keeps
the registry in doubt. To forget is a run of its own that reads nothing: it closes the history of
the tags and is checked and published like any other. A later list that shows them brings them back.
"""

import uuid
from typing import NamedTuple

import msgspec
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.engines.engine import engine_of
from pipelines.errors import SettingsError, WarehouseMissing
from pipelines.run.clock import RunClock
from pipelines.run.known import registry_in
from pipelines.run.log import RunLog
from pipelines.run.page import write_page_beside
from pipelines.run.registries import publish_all
from pipelines.run.request import Name
from pipelines.schemas import CRAWLS, NAMESPACES, REGISTRIES, REPOSITORIES
from pipelines.settings import Settings
from pipelines.warehouse import load
from pipelines.warehouse.building import connect_building, start_building, writer_lock
from pipelines.warehouse.checks import raise_if_blocked, report_checks, table_checks
from pipelines.warehouse.known import known_repositories, latest_moment, latest_run
from pipelines.warehouse.publish import publish
from pipelines.warehouse.resources import resources_of
from pipelines.warehouse.restore import ensure_state
from pipelines.warehouse.state import has_state

_NOTHING_LISTED = load.Found(
    REGISTRIES.empty_table(), NAMESPACES.empty_table(), REPOSITORIES.empty_table()
)


class Forgotten(NamedTuple):
    """What was given up."""

    repositories: list[Name]
    tag_count: int


def forget(settings: Settings, name: str) -> Forgotten:
    """Give up a namespace, or one repository given as NAMESPACE/REPOSITORY, and publish.

    Raises:
        SettingsError: the warehouse holds nothing of that name.
        SwrWarehouseError: nothing was changed or published; the text says why.
    """
    directory = settings.warehouse_dir
    with writer_lock(directory):
        ensure_state(directory)
        if not has_state(directory):
            raise WarehouseMissing(f"{directory} holds nothing yet: run `swr-warehouse ingest`.")
        start_building(directory)
        resources, engine = resources_of(settings), engine_of(settings)
        with connect_building(directory, resources) as con:
            forgotten = _forget(con, settings, name)
            raise_if_blocked(engine.run_checks(con, table_checks(), resources.cursors))
            engine.build_reports(con, resources.cursors)
            raise_if_blocked(engine.run_checks(con, report_checks(), resources.cursors))
        publish(directory)
    publish_all(settings)
    write_page_beside(settings)
    return forgotten


def _forget(con: DuckDBPyConnection, settings: Settings, name: str) -> Forgotten:
    stored = registry_in(con)
    registry = stored.name if stored else ""
    named = _named(con, name)
    is_listed = "/" not in name and load.forget_namespace(con, registry, name)
    if not named and not is_listed:
        raise SettingsError(
            f"The warehouse holds nothing named {name!r}: give a NAMESPACE, or a"
            " NAMESPACE/REPOSITORY, as its table `repositories` has them."
        )
    clock = RunClock(latest_moment(con))
    tag_count = _count_tags(con, named)
    run = _run(settings, registry, name, clock, latest_run(con) or {})
    load.begin(con, registry)
    load.apply(con, run, _NOTHING_LISTED, _crawls(named, clock))
    RunLog(run.run_id).event("forgotten", repositories=len(named), tags=tag_count)
    return Forgotten(named, tag_count)


def _named(con: DuckDBPyConnection, name: str) -> list[Name]:
    """The repositories held for alive that the name means."""
    rows = known_repositories(con).to_pylist()
    names: list[Name] = [(row["namespace"], row["repository"]) for row in rows]
    return [known for known in names if name in {known[0], "/".join(known)}]


def _count_tags(con: DuckDBPyConnection, named: list[Name]) -> int:
    counts = con.sql("select namespace, repository, tag_count from repositories").fetchall()
    return sum(count for *known, count in counts if tuple(known) in set(named))


def _crawls(named: list[Name], clock: RunClock) -> pa.Table:
    """Rows of CRAWLS that close these repositories."""
    moment = clock.now()
    unread = dict.fromkeys(("requests", "pages", "received", "duplicates", "attempts"), 0)
    rows = [
        {
            "namespace": namespace,
            "repository": repository,
            "status": "forgotten",
            "started_at": moment,
            "finished_at": moment,
            "lists_everything": False,
            **unread,
        }
        for namespace, repository in named
    ]
    return pa.Table.from_pylist(rows, schema=CRAWLS)


def _run(
    settings: Settings, registry: str, name: str, clock: RunClock, latest: dict[str, int]
) -> load.Run:
    """The row of a run that reads nothing: what the latest one left unread stays so."""
    scope = {"namespaces": (), "repositories": (name,)} if "/" in name else {"namespaces": (name,)}
    return load.Run(
        run_id=str(uuid.uuid4()),
        registry=registry,
        as_of=clock.as_of,
        mode="forget",
        started_at=clock.as_of,
        finished_at=clock.now(),
        status="complete",
        scope=msgspec.json.encode({"namespaces": (), "repositories": ()} | scope).decode(),
        unread_namespaces=latest.get("unread_namespaces", 0),
        unread_repositories=latest.get("unread_repositories", 0),
        stale_days=settings.stale_days,
        requests=0,
        retries=0,
        throttled_seconds=0.0,
        failed_namespaces=0,
        received_bytes=0,
        exact_hours=settings.exact_hours,
        clock_set_back_seconds=clock.set_back_seconds,
        clock_offset_seconds=None,
        reader_version=None,
        report_labels="\n".join(settings.report_labels) or None,
        price_per_gb_month=settings.price_per_gb_month,
        currency=settings.currency,
        in_use_days=settings.in_use_days,
    )
