"""Dagster's pages and daemon on a free port, as a server runs them, and a browser to look."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from checkout import ROOT
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def served(home: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """Run webserver and daemon on a Dagster home; give the address of the pages."""
    port = free_port()
    workspace = ["-w", str(ROOT / "assets" / "workspace.yaml")]
    pages = ["assets.cli.pages", "--port", str(port), *workspace]
    with (
        running(home, settings, pages),
        running(home, settings, ["dagster._daemon", "run", *workspace]),
    ):
        address = f"http://127.0.0.1:{port}"
        wait_for(address)
        yield address


@contextmanager
def browser(*flags: str) -> Iterator[Browser]:
    """Give a headless Chromium with a profile of its own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS, *flags])
        yield chromium
        chromium.close()


@contextmanager
def running(home: Path, settings: Mapping[str, str], command: list[str]) -> Iterator[None]:
    """Run a Python module in a process group of its own; leave nothing of it."""
    with (home / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={
                **os.environ,
                "DAGSTER_HOME": str(home),
                "PYTHONWARNINGS": "ignore",
                **settings,
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(address: str) -> None:
    """Wait until the pages answer."""
    for _ in range(240):
        try:
            requests.get(f"{address}/server_info", timeout=5).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.25)
        else:
            return
    raise TimeoutError(f"{address} does not answer")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
