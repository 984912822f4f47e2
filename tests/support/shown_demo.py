"""The demo as people meet it: run by its command, then shown by `ui`, both as they are shipped."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from checkout import ROOT
from served import free_port, running, wait_for


@dataclass(frozen=True)
class ShownDemo:
    """What the demo printed, where its warehouse is, and where the pages are."""

    output: str
    warehouse: Path
    address: str


@contextmanager
def shown_demo(directory: Path) -> Iterator[ShownDemo]:
    """Run the demo in a directory that nothing has been in, then open the pages."""
    settings = {"SWR_WAREHOUSE_DIR": str(directory / "data")}
    environment = os.environ | settings
    environment.pop("DAGSTER_HOME", None)
    demo = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "assets.cli", "demo"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    port = free_port()
    logs = directory / "logs"
    logs.mkdir()
    # An empty home is as good as none.
    with running(logs, settings | {"DAGSTER_HOME": ""}, ["assets.cli", "ui", "--port", str(port)]):
        address = f"http://127.0.0.1:{port}"
        wait_for(address)
        yield ShownDemo(demo.stdout, directory / "data" / "demo", address)
