"""The folders of earlier crawls: which one to resume, which to delete.

A crawl whose run died is resumed if it is young, was asked the same, compares with the run that is
still the published one, lacks nothing that it says it holds, and has failed no check.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.errors import LandingError
from pipelines.landing.files import write_json, writing
from pipelines.landing.reader import is_whole, read_run
from pipelines.landing.writer import CrawlRequest, LandingWriter

_REFUSED = "refused"


def refuse(path: Path) -> None:
    """Have no run load this crawl again: it would fail as it did."""
    with suppress(OSError):
        (path / _REFUSED).touch(mode=0o600)


def open_landing(
    zone: Path,
    run_id: str,
    run: CrawlRequest,
    *,
    published: frozenset[str],
    max_age: timedelta,
    now: datetime,
    clock: Callable[[], float],
    is_same_account: Callable[[Path], bool] = lambda _: True,
) -> LandingWriter:
    """Resume the crawl of a dead run that fits, else start a new one.

    Args:
        zone: directory that holds the folders, each named by its run.
        run_id: the present run; the folder is named after it from now on.
        run: what it is to read.
        published: runs that have reached the warehouse; their folders are left alone.
        max_age: older crawls of dead runs are deleted.
        now: the present.
        clock: seconds, for timing the writing of parts.
        is_same_account: whether what a folder holds may be of the account that asks now.

    Raises:
        LandingError: the zone cannot be written.
    """
    folder = zone / run_id
    with writing(zone):
        youth = (now - max_age, now)
        resumed = _resumable(zone, run, published, youth, is_same_account)
        if resumed is None:
            folder.mkdir(mode=0o700)
        else:
            for leftover in resumed.glob("*.part"):
                leftover.unlink()
            resumed.rename(folder)
    if resumed is None:
        write_json(folder / "run.json", run)
    return LandingWriter(folder, clock)


def _resumable(
    zone: Path,
    run: CrawlRequest,
    published: frozenset[str],
    youth: tuple[datetime, datetime],
    is_same_account: Callable[[Path], bool],
) -> Path | None:
    """Find the crawl to resume; delete the others that no run has published."""
    zone.mkdir(mode=0o700, parents=True, exist_ok=True)
    resumed: Path | None = None
    for path in sorted(path for path in zone.iterdir() if path.is_dir()):
        if path.name in published:
            continue
        if resumed is None and _fits(path, run, youth) and is_whole(path) and is_same_account(path):
            resumed = path
        else:
            shutil.rmtree(path)
    return resumed


def latest_unpublished(zone: Path, published: Sequence[str]) -> str | None:
    """The latest finished crawl of those that are based on the published run.

    Args:
        zone: directory that holds the folders.
        published: runs that have reached the warehouse, the latest last.
    """
    latest = published[-1] if published else None
    waiting = {
        path.name: read_run(path)
        for path in zone.glob("*")
        if path.name not in published
        and (path / "crawl.json").exists()
        and not (path / _REFUSED).exists()
    }
    fitting = {name: run.started_at for name, run in waiting.items() if run.based_on == latest}
    return max(fitting, key=lambda name: fitting[name], default=None)


def _fits(path: Path, run: CrawlRequest, youth: tuple[datetime, datetime]) -> bool:
    if (path / _REFUSED).exists():
        return False
    try:
        earlier = read_run(path)
    except LandingError:
        return False
    return (
        youth[0] <= earlier.started_at <= youth[1]
        and earlier.endpoint == run.endpoint
        and (earlier.domain is None or run.domain is None or earlier.domain == run.domain)
        and earlier.based_on == run.based_on
        and earlier.mode == run.mode
        and earlier.namespaces == run.namespaces
        and earlier.repositories == run.repositories
    )
