"""What a warehouse directory need not keep: old landing folders, texts and snapshots.

Reports stay as they are to the byte: docs/adr/0004-what-is-kept.md says what they are made of.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.engines.engine import engine_of
from pipelines.errors import LandingError
from pipelines.landing.reader import read_run
from pipelines.settings import Settings
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.checks import raise_if_blocked
from pipelines.warehouse.in_use import delete_snapshots, old_snapshots
from pipelines.warehouse.known import published_runs
from pipelines.warehouse.publish import publish
from pipelines.warehouse.rejected import delete_rejected, runs_with_old_rejected
from pipelines.warehouse.resources import resources_of
from pipelines.warehouse.state import connect_state, has_state


@dataclass(frozen=True)
class Cleared:
    """What went: landing folders and rejected records, named by their run; snapshots."""

    landing_folders: list[str]
    rejected_records: list[str]
    snapshots: list[str] = field(default_factory=list)


def clear_up(settings: Settings, now: datetime) -> Cleared:
    """Remove what is older than the settings say; to be called with the writer lock held.

    Rows of the warehouse go the way of every change: building file, checks, publication.

    Raises:
        WarehouseError: it cannot be read, written or published.
        CheckFailed: a blocking check found rows; what is published stays.
    """
    directory = settings.warehouse_dir
    if not has_state(directory):
        return Cleared([], [])
    with closing(connect_state(directory)) as con:
        published = published_runs(con)
        old = runs_with_old_rejected(con, now - timedelta(days=settings.keep_history_days))
        oldest = now - timedelta(days=settings.keep_landing_days)
        snapshots = old_snapshots(con, oldest, settings.in_use_days)
    if old or snapshots:
        _forget(settings, old, snapshots)
    folders = list(_clear_landing_zone(directory / "landing", published, oldest))
    return Cleared(folders, old, snapshots)


def _forget(settings: Settings, runs: list[str], snapshots: list[str]) -> None:
    start_building(settings.warehouse_dir)
    with connect_building(settings.warehouse_dir, resources_of(settings)) as con:
        delete_rejected(con, runs)
        delete_snapshots(con, snapshots)
        raise_if_blocked(engine_of(settings).run_checks(con))
    publish(settings.warehouse_dir)


def _clear_landing_zone(zone: Path, published: Iterable[str], oldest: datetime) -> Iterator[str]:
    """Remove folders of published runs; the next crawl removes those of dead runs."""
    for run_id in sorted(published):
        folder = zone / run_id
        if folder.is_dir() and _began(folder) < oldest:
            shutil.rmtree(folder)
            yield run_id


def _began(folder: Path) -> datetime:
    try:
        return read_run(folder).started_at
    except LandingError:
        # Published and unreadable: nobody will ever read it.
        return datetime.min.replace(tzinfo=UTC)
