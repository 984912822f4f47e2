"""The demo: the emulator with its built-in registry, ingested, moved on by a day, ingested again.

Uses a warehouse of its own below the usual directory, made anew each time.
"""

import os
import shlex
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from assets.cli.launch import LaunchedRun, launch_ingest
from assets.cli.program import program
from assets.cli.terminal import TerminalProgress
from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.server import Emulator
from pipelines.page import summary
from pipelines.page.overview import overview, overview_answer
from pipelines.settings import known_names, read_settings

_EXAMPLE = "select namespace, repository, exclusive_bytes from reports.repository_sizes"
_CHECKOUT = Path(__file__).resolve().parents[2]
TOKEN = "demo-token"  # noqa: S105 - opens nothing but the demo's own emulator


def run_demo(out: Console, err: Console) -> None:
    """Run the job twice against a changing registry; print its figures and what to try next."""
    directory = read_settings().warehouse_dir / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    day = datetime.now(UTC).date() - timedelta(days=1)
    registry = built_in_registry(day)
    with Emulator(registry, token=TOKEN) as server:
        point_settings_at(server.url, directory)
        out.print(f"An emulator for SWR serves its built-in registry on {server.url}")
        first = _ingest(err)
        out.print(_run_line("First run", first))
        advance_a_day(registry, day)
        second = _ingest(err)
        out.print(_run_line("A day later", second))
    shown = overview_answer(overview(directory, top=5), program())
    out.print("", shown, "", summary.latest_changes(directory), sep="\n")
    out.print(_what_next(directory), markup=False)


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
