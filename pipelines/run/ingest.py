"""One run from the first request to the published file: every step, in its order.

Dagster runs the same steps, each as an asset or a check of the step's name (`assets.defs`).
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from pipelines.engines.engine import engine_of
from pipelines.errors import WarehouseError
from pipelines.page.metrics import write_metrics
from pipelines.run.crawl import CrawlSummary, crawl_registry
from pipelines.run.failure import undone_if_failed
from pipelines.run.load import load_landing
from pipelines.run.log import RunLog
from pipelines.run.page import write_page_beside
from pipelines.run.progress import Progress
from pipelines.run.registries import publish_all
from pipelines.run.request import RunRequest
from pipelines.run.resolve import resolve
from pipelines.settings import Settings
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport
from pipelines.warehouse.building import connect_building, writer_lock
from pipelines.warehouse.checks import raise_if_blocked, report_checks, table_checks
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import run_query
from pipelines.warehouse.resources import resources_of

_LATEST = "select run_id, status from ingest.runs order by as_of desc, run_id desc limit 1"
_REJECTED = "select count(*) as records from ingest.counted_records where reason = 'rejected'"


class Step(StrEnum):
    """The steps of a run, in their order."""

    CRAWL = "crawl"
    LOAD = "load"
    RESOLVE = "resolve"
    CHECK_TABLES = "check_tables"
    BUILD = "build"
    CHECK_REPORTS = "check_reports"
    PUBLISH = "publish"


def ingest(
    settings: Settings,
    request: RunRequest,
    progress: Progress,
    *,
    enter: Callable[[Step], object] = lambda _: None,
) -> CrawlSummary:
    """Run every step, as the only writer of the warehouse directory.

    Args:
        settings: of the run.
        request: what to read.
        progress: hears how far the crawl is.
        enter: called with each step before it begins.

    Raises:
        SwrWarehouseError: nothing was published; the text says why.
    """
    with writer_lock(settings.warehouse_dir):
        enter(Step.CRAWL)
        summary = crawl_registry(settings, request, progress)
        with undone_if_failed(settings, request.run_id):
            _publish_landing(settings, request.run_id, progress, enter)
    return summary


def _publish_landing(
    settings: Settings, run_id: str, progress: Progress, enter: Callable[[Step], object]
) -> None:
    """Run every step that comes after reading."""
    enter(Step.LOAD)
    load_landing(settings, run_id)
    enter(Step.RESOLVE)
    resolve(settings, run_id, progress)
    resources, engine = resources_of(settings), engine_of(settings)
    with connect_building(settings.warehouse_dir, resources) as con:
        enter(Step.CHECK_TABLES)
        raise_if_blocked(engine.run_checks(con, table_checks(), resources.cursors))
        enter(Step.BUILD)
        engine.build_reports(con, resources.cursors)
        enter(Step.CHECK_REPORTS)
        raise_if_blocked(engine.run_checks(con, report_checks(), resources.cursors))
    enter(Step.PUBLISH)
    publish_run(settings, run_id, progress)


def ingest_without_reports(settings: Settings, request: RunRequest, progress: Progress) -> None:
    """Run the steps that read, load and check what was loaded; the next run's reports tell of it.

    Raises:
        SwrWarehouseError: nothing was published; the text says why.
    """
    with writer_lock(settings.warehouse_dir):
        crawl_registry(settings, request, progress)
        with undone_if_failed(settings, request.run_id):
            load_landing(settings, request.run_id)
            resolve(settings, request.run_id, progress)
            with connect_building(settings.warehouse_dir, resources_of(settings)) as con:
                raise_if_blocked(engine_of(settings).run_checks(con, table_checks()))
            publish(settings.warehouse_dir)


def publish_run(settings: Settings, run_id: str, progress: Progress) -> Path:
    """Publish what the run has built and checked; return the warehouse's path.

    Raises:
        WarehouseError: it cannot be replaced.
    """
    path, log_set_aside = publish(settings.warehouse_dir)
    if log_set_aside:
        progress.notice(
            f"A session has left changes of its own to {path.name}; they are in {log_set_aside}."
        )
    RunLog(run_id).event("run published", bytes=path.stat().st_size)
    _publish_with_others(settings, progress)
    _write_metrics(settings, progress)
    write_page_beside(settings, progress.notice)
    return path


def _publish_with_others(settings: Settings, progress: Progress) -> None:
    """Publish the warehouse of all registries anew, if this is one of several."""
    try:
        publish_all(settings)
    except WarehouseError as error:
        progress.notice(f"Published, but not in the warehouse of all registries. {error}")


def _write_metrics(settings: Settings, progress: Progress) -> None:
    """Write the metrics too. What is published stays so if they cannot be written."""
    try:
        write_metrics(settings.warehouse_dir, settings.metrics_file)
        if settings.metrics_setting is None:
            # Beside the warehouse it is its owner's, elsewhere the collector's to read.
            settings.metrics_file.chmod(0o600)
    except (WarehouseError, OSError) as error:
        progress.notice(f"Published, but without metrics. {error}")


def check_access(settings: Settings) -> None:
    """Try address and log-in before anything is started.

    Raises:
        SettingsError: endpoint or credentials are missing.
        SwrError: the registry cannot be reached, or refuses these credentials.
    """
    with Transport(settings) as transport:
        client_from(settings, transport).namespaces()


def latest_status(settings: Settings) -> str:
    """How the published run went: complete or partial."""
    status: str = run_query(settings.warehouse_dir, _LATEST)["status"][0].as_py()
    return status


def is_published(settings: Settings, run_id: str) -> bool:
    """Whether this run is the one that is published."""
    try:
        latest = run_query(settings.warehouse_dir, _LATEST)["run_id"].to_pylist()
    except WarehouseError:
        return False
    return bool(latest == [run_id])


def rejected_record_count(settings: Settings) -> int:
    """Records that are counted as tags and could not be used, in what is published."""
    count: int = run_query(settings.warehouse_dir, _REJECTED)["records"][0].as_py()
    return count
