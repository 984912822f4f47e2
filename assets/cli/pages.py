"""Dagster's webserver behind `own_pages`, with our `pictures`: what `ui` and a service start.

`dagster-webserver` itself takes requests from pages of any site.
"""

import os
from contextlib import ExitStack
from pathlib import Path

import click
import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from assets.cli.launch import WORKSPACE, prepare_home
from assets.cli.own_pages import THIS_MACHINE, OwnPagesOnly
from assets.cli.pictures import PICTURES

# As Dagster's own command sets them.
_STATEMENT_TIMEOUT_MS = 15_000
_POOL_RECYCLE_SECONDS = 3600
_POOL_OVERFLOW = 20
_POLL_RATE_MS = 2000


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("-w", "--workspace", type=click.Path(exists=True), default=str(WORKSPACE))
@click.option("--host", default="127.0.0.1", show_default=True, help="In a container: 0.0.0.0.")
@click.option(
    "--trusted-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Name by which people reach a proxy before these pages, without a port.",
)
def main(port: int, workspace: str, host: str, hosts: tuple[str, ...]) -> None:
    """Serve Dagster's pages on this machine, for browsers that show no other site's page."""
    os.environ["DAGSTER_HOME"] = str(prepare_home())
    with ExitStack() as stack:
        instance = stack.enter_context(DagsterInstance.get())
        instance.optimize_for_webserver(
            _STATEMENT_TIMEOUT_MS, _POOL_RECYCLE_SECONDS, _POOL_OVERFLOW
        )
        target = WorkspaceFileTarget([str(Path(workspace).absolute())])
        context = stack.enter_context(
            WorkspaceProcessContext(instance, target, version=__version__)
        )
        app = create_app_from_workspace_process_context(context, live_data_poll_rate=_POLL_RATE_MS)
        # Before Dagster's own routes, which take whatever is left.
        app.router.routes[:0] = PICTURES
        app.add_middleware(OwnPagesOnly, hosts=THIS_MACHINE | {name.lower() for name in hosts})
        uvicorn.run(app, host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main()
