"""The folders of earlier crawls: which to take up, which to discard.

A finished or half-finished crawl whose run died is worth going on with while it is young, asked
the same, and compares with the run that is still the published one; and if nothing of it is lost.
"""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.errors import LandingError
from pipelines.landing.files import write_json, writing
from pipelines.landing.folder import Folder, Run
from pipelines.landing.reading import is_whole, read_run


def open_folder(
    shelf: Path,
    run_id: str,
    run: Run,
    *,
    published: frozenset[str],
    max_age: timedelta,
    now: datetime,
    clock: Callable[[], float],
) -> Folder:
    """Take up the crawl of a dead run that fits, else start a new one.

    Args:
        shelf: directory that holds the folders, each named by its run.
        run_id: the run that asks now; the folder is named after it from now on.
        run: what is asked.
        published: runs that have reached the warehouse; their folders are left alone.
        max_age: older crawls of dead runs are discarded.
        now: the present.
        clock: seconds, for timing the writing of parts.

    Raises:
        LandingError: the shelf cannot be written.
    """
    folder = shelf / run_id
    with writing(shelf):
        taken_up = _take_up(shelf, run, published, oldest=now - max_age)
        if taken_up is None:
            folder.mkdir(mode=0o700)
        else:
            taken_up.rename(folder)
    if taken_up is None:
        write_json(folder / "run.json", run)
    return Folder(folder, clock)


def _take_up(shelf: Path, run: Run, published: frozenset[str], *, oldest: datetime) -> Path | None:
    """Find the crawl to go on with; what no run has published otherwise goes."""
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken_up: Path | None = None
    for path in sorted(path for path in shelf.iterdir() if path.is_dir()):
        if path.name in published:
            continue
        if taken_up is None and _fits(path, run, oldest=oldest) and is_whole(path):
            taken_up = path
        else:
            shutil.rmtree(path)
    return taken_up


def unpublished(shelf: Path, published: Sequence[str]) -> str | None:
    """The finished crawl that began last, of those that go on from the published warehouse.

    Args:
        shelf: directory that holds the folders.
        published: runs that have reached the warehouse, the latest last.
    """
    latest = published[-1] if published else None
    waiting = {
        path.name: read_run(path)
        for path in shelf.glob("*")
        if path.name not in published and (path / "crawl.json").exists()
    }
    fitting = {name: run.started_at for name, run in waiting.items() if run.based_on == latest}
    return max(fitting, key=lambda name: fitting[name], default=None)


def _fits(path: Path, run: Run, *, oldest: datetime) -> bool:
    try:
        earlier = read_run(path)
    except LandingError:
        return False
    return (
        earlier.started_at >= oldest
        and earlier.based_on == run.based_on
        and earlier.mode == run.mode
        and earlier.namespaces == run.namespaces
        and earlier.repositories == run.repositories
    )
