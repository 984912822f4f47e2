"""Dagster's pages for this machine: `swr-warehouse ui`. Only they may use them (`own_pages`).

They show what was ingested last: where that was the demo, its registry is served as long as the
pages are open, and can be read again. For a server that others use: docs/operations.md.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from assets.cli.demo import TOKEN, demo_directory, point_settings_at, registry_after_demo
from assets.cli.launch import prepare_home, private_files
from pipelines.emulator.server import Emulator
from pipelines.errors import SettingsError
from pipelines.settings import Settings, read_settings
from pipelines.warehouse.state import PUBLISHED

_WORKSPACE = """
load_from:
  - grpc_server: {{socket: "{socket}", location_name: swr_warehouse}}
"""
_DAEMON = Path(sys.executable).with_name("dagster-daemon")
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
        if reason := why_the_demo(read_settings()):
            server = stack.enter_context(Emulator(registry_after_demo(), token=TOKEN))
            point_settings_at(server.url, demo_directory())
            click.echo(f"{reason}: runs read the demo's registry.")
        os.environ["DAGSTER_HOME"] = str(prepare_home())
        click.echo(f"Dagster opens on http://127.0.0.1:{port} (Ctrl-C ends it)")
        return _run_dagster(port)


def why_the_demo(settings: Settings) -> str | None:
    """Why the pages show the demo's warehouse; None where they show one's own."""
    own, demo = (_published_at(path) for path in (settings.warehouse_dir, demo_directory()))
    if demo > own:
        return "The demo ran last"
    if own or settings.has_registry:
        return None
    return "No registry is set (SWR_REGION or SWR_ENDPOINT)"


def _published_at(directory: Path) -> float:
    """When a warehouse was published last, in seconds since 1970; 0 for one that never was."""
    file = directory / PUBLISHED
    return file.stat().st_mtime if file.exists() else 0.0


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
        daemon = [str(_DAEMON), "run", "-w", str(workspace)]
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
    process = subprocess.Popen([sys.executable, *arguments], start_new_session=True)  # noqa: S603 - ours
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
