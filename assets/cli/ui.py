"""Dagster's pages for this machine: `swr-warehouse ui`. Only they may use them (`own_pages`).

Where no registry is set, the demo's is served as long as the pages are open, so that what the demo
left can be looked at and run again. For a server that others use: docs/operations.md.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from assets.cli.demo import TOKEN, point_settings_at
from assets.cli.launch import prepare_home, private_files
from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import SettingsError
from pipelines.settings import read_settings

_WORKSPACE = """
load_from:
  - grpc_server: {{socket: "{socket}", location_name: swr_warehouse}}
"""
_LOOK_EVERY_SECONDS = 0.2
_PATIENCE_SECONDS = 20


def open_pages(port: int) -> int:
    """Open Dagster's pages on 127.0.0.1, until interrupted or terminated; give the exit code.

    Raises:
        SettingsError: the pages are not installed.
    """
    if find_spec("dagster_webserver") is None:
        raise SettingsError("Dagster's pages are not installed: pip install swr-warehouse[ui]")
    # Previews that Dagster warns about are used on purpose.
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    with ExitStack() as stack:
        stack.enter_context(private_files())
        if not read_settings().has_registry:
            server = stack.enter_context(Emulator(_as_the_demo_left_it(), token=TOKEN))
            point_settings_at(server.url, read_settings().warehouse_dir / "demo")
            click.echo("No registry is set (SWR_REGION or SWR_ENDPOINT): runs read the demo's.")
        os.environ["DAGSTER_HOME"] = str(prepare_home())
        click.echo(f"Dagster opens on http://127.0.0.1:{port} (Ctrl-C ends it)")
        return _run_dagster(port)


def _as_the_demo_left_it() -> Registry:
    day = datetime.now(UTC).date() - timedelta(days=1)
    registry = built_in_registry(day)
    advance_a_day(registry, day)
    return registry


def _run_dagster(port: int) -> int:
    """Run code server, daemon and pages until one ends, or this is asked to; give its exit code."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with TemporaryDirectory() as directory, ExitStack() as stack:
        workspace = Path(directory) / "workspace.yaml"
        socket = workspace.with_name("code.sock")
        workspace.write_text(_WORKSPACE.format(socket=socket))
        running = [stack.enter_context(_running(_code_server(socket)))]
        # A daemon that finds no code server looks again only a minute later.
        while not (socket.exists() or _ended(running) or stopped.wait(_LOOK_EVERY_SECONDS)):
            pass
        daemon = ["-m", "dagster._daemon", "run", "-w", str(workspace)]
        pages = ["-m", "assets.cli.pages", "-w", str(workspace), "--port", str(port)]
        running += [stack.enter_context(_running(command)) for command in (daemon, pages)]
        while not (_ended(running) or stopped.wait(_LOOK_EVERY_SECONDS)):
            pass
        return next(iter(_ended(running)), 0)


def _code_server(socket: Path) -> list[str]:
    """One for daemon and pages: each would load the code for itself, and anew every minute."""
    start = ["-m", "dagster", "code-server", "start", "--use-python-environment-entry-point"]
    return [*start, "-m", "assets.definitions", "--socket", str(socket), "--log-level", "warning"]


def _ended(running: list[subprocess.Popen[bytes]]) -> list[int]:
    """The exit codes of those that have ended."""
    return [process.returncode for process in running if process.poll() is not None]


@contextmanager
def _running(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python program of this environment until the block ends."""
    # The environment's own programs. A group of its own: a terminal interrupts only this one.
    process = subprocess.Popen([sys.executable, *arguments], start_new_session=True)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
