"""The demo: the emulator with its built-in registry, ingested for twelve weeks, then twice more.

Uses a warehouse and a Dagster home of its own below the usual directory, made anew each time; only
what Dagster knows of earlier demos stays, for its pages may be open.
"""

import os
import shlex
import shutil
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import track

from assets.cli.launch import LaunchedRun, launch_ingest
from assets.cli.program import program
from assets.cli.terminal import TerminalProgress
from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.page import summary
from pipelines.page.overview import overview, overview_answer
from pipelines.run.clock import turned_to
from pipelines.run.ingest import ingest_without_reports
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import known_names, read_settings

_EXAMPLE = "select namespace, repository, exclusive_bytes from reports.repository_sizes"
_CHECKOUT = Path(__file__).resolve().parents[2]
TOKEN = "demo-token"  # noqa: S105 - opens nothing but the demo's own emulator
HOME = ".dagster"
_WEEKS = 12
_DAYS_A_WEEK = 7
# When a schedule would begin it.
_AT = timedelta(hours=3)


def run_demo(out: Console, err: Console) -> None:
    """Record a history, run the job twice; print figures and what to try next."""
    directory = demo_directory()
    _clear(directory)
    begin = _first_day()
    registry = built_in_registry(begin)
    with Emulator(registry, token=TOKEN) as server:
        point_settings_at(server.url, directory)
        out.print(f"An emulator for SWR serves its built-in registry on {server.url}")
        seconds = _record_history(registry, begin, err)
        out.print(f"Its last {_WEEKS} weeks: as many runs, dated a week apart, in {seconds:.1f} s")
        first = _ingest(err)
        out.print(_run_line("First run", first))
        advance_a_day(registry, _yesterday())
        second = _ingest(err)
        out.print(_run_line("A day later", second))
    shown = overview_answer(overview(directory, top=5), program())
    out.print("", shown, "", summary.latest_changes(directory), sep="\n")
    out.print(_what_next(directory), markup=False)


def demo_directory() -> Path:
    """Where the demo keeps its warehouse."""
    return read_settings().warehouse_dir / "demo"


def registry_after_demo() -> Registry:
    """The registry as a demo of today leaves it."""
    registry = built_in_registry(_first_day())
    for number in range(_WEEKS * _DAYS_A_WEEK + 1):
        advance_a_day(registry, _first_day() + timedelta(days=number))
    return registry


def _yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def _first_day() -> date:
    return _yesterday() - timedelta(weeks=_WEEKS)


def _clear(directory: Path) -> None:
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.is_dir() and path.name != HOME:
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


def _record_history(registry: Registry, begin: date, err: Console) -> float:
    """Read it once for each week, and let it change until the next.

    Without Dagster and without reports, which take the most time: those of the first run that
    follows have a row for each of these.
    """
    began = time.monotonic()
    settings = read_settings(read_configs=False)
    weeks = range(_WEEKS)
    for week in track(
        weeks, f"The last {_WEEKS} weeks", console=err, transient=True, disable=not err.is_terminal
    ):
        day_of_run = begin + timedelta(weeks=week)
        with turned_to(datetime.combine(day_of_run, datetime.min.time(), UTC) + _AT):
            request = RunRequest(str(uuid.uuid4()), full=False, scope=Scope())
            ingest_without_reports(settings, request, NoProgress())
        for day in range(_DAYS_A_WEEK):
            advance_a_day(registry, day_of_run + timedelta(days=day))
    return time.monotonic() - began


def _ingest(err: Console) -> LaunchedRun:
    with TerminalProgress(err) as progress:
        return launch_ingest(full=False, namespaces=(), repositories=(), progress=progress)


def point_settings_at(url: str, directory: Path) -> None:
    """Replace whatever is set for a real registry: the demo must not touch it."""
    # Empty is as good as not set, and is not set again from a `.env`.
    os.environ.update(dict.fromkeys(known_names(), ""))
    os.environ["SWR_ENDPOINT"] = url
    os.environ["SWR_AUTH_TOKEN"] = TOKEN
    os.environ["SWR_WAREHOUSE_DIR"] = str(directory)
    # Its runs are not to stand among those of a real registry.
    if not os.environ.get("DAGSTER_HOME"):
        os.environ["DAGSTER_HOME"] = str((directory / HOME).absolute())
    os.environ["SWR_REQUESTS_PER_SECOND"] = os.environ["SWR_PULLS_PER_SECOND"] = "0"
    os.environ["SWR_READ_CONFIGS"] = "true"


def _run_line(what: str, run: LaunchedRun) -> str:
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.step_seconds.items())
    return f"{what}: {run.status} in {run.seconds:.1f} s\n  {steps} s"


def _is_in_checkout() -> bool:
    """Whether `make` finds this checkout's Makefile."""
    return Path.cwd() == _CHECKOUT and (_CHECKOUT / "Makefile").exists()


def _what_next(directory: Path) -> str:
    name = program()
    pages = "make ui" if _is_in_checkout() else f"{name} ui"
    return f"""
What to try next:
  {pages}
    lineage, runs and checks on http://127.0.0.1:3000
  export SWR_WAREHOUSE_DIR={shlex.quote(str(directory.absolute()))}
  {name} report
  {name} query "{_EXAMPLE}"
Then point it at your registry: README.md, "Your own registry"."""
