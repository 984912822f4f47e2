"""Dagster's pages for this machine: `make ui`.

Where no registry is set, the demo's is served as long as the pages are open, so that what the demo
left can be looked at and run again. For a server that others use: docs/operations.md.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from assets.cli.demo import TOKEN, point_settings_at
from assets.cli.launch import prepare_home
from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.settings import read_settings


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def main(port: int) -> None:
    """Open Dagster's pages on 127.0.0.1, until interrupted or terminated."""
    os.environ["DAGSTER_HOME"] = str(prepare_home())
    # Previews that Dagster warns about are used on purpose.
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    with ExitStack() as stack:
        if not read_settings().has_registry:
            server = stack.enter_context(Emulator(_as_the_demo_left_it(), token=TOKEN))
            point_settings_at(server.url, read_settings().warehouse_dir / "demo")
            click.echo("No registry is set (SWR_REGION or SWR_ENDPOINT): runs read the demo's.")
        click.echo(f"Dagster opens on http://127.0.0.1:{port} (Ctrl-C ends it)")
        sys.exit(_run_dagster(port))


def _as_the_demo_left_it() -> Registry:
    day = datetime.now(UTC).date() - timedelta(days=1)
    registry = built_in_registry(day)
    advance_a_day(registry, day)
    return registry


def _run_dagster(port: int) -> int:
    dagster = Path(sys.executable).with_name("dg")
    command = [str(dagster), "dev", "--host", "127.0.0.1", "--port", str(port)]
    # A terminal interrupts both. A handler, because a program started with the signal ignored
    # would ignore it as well.
    signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen(command)  # noqa: S603 - the environment's own program
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return process.wait()


if __name__ == "__main__":
    main()
