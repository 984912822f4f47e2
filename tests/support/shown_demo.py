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


# The program is then called by its name, which its hints repeat.
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def demo_in(directory: Path, others: dict[str, str] | None = None) -> str:
    """Run the demo in a directory that nothing has been in, beside other settings; its output."""
    environment = os.environ | _settings(directory) | (others or {})
    environment.pop("DAGSTER_HOME", None)
    demo = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "assets.cli", "demo"],
        cwd=ROOT,
        env=environment | {"PATH": _PATH},
        check=True,
        capture_output=True,
        text=True,
    )
    return demo.stdout


def warehouse_of(directory: Path) -> Path:
    """The warehouse that a demo in a directory leaves."""
    return directory / "data" / "demo"


@contextmanager
def pages_of(directory: Path) -> Iterator[str]:
    """Open the pages of a demo in a directory; their address."""
    port = free_port()
    logs = directory / "logs"
    logs.mkdir()
    # An empty home is as good as none.
    settings = _settings(directory) | {"DAGSTER_HOME": ""}
    with running(logs, settings, ["assets.cli", "ui", "--port", str(port)]):
        address = f"http://127.0.0.1:{port}"
        wait_for(address)
        yield address


@contextmanager
def shown_demo(directory: Path) -> Iterator[ShownDemo]:
    """Run the demo in a directory that nothing has been in, then open the pages."""
    output = demo_in(directory)
    with pages_of(directory) as address:
        yield ShownDemo(output, warehouse_of(directory), address)


def _settings(directory: Path) -> dict[str, str]:
    return {"SWR_WAREHOUSE_DIR": str(directory / "data")}
