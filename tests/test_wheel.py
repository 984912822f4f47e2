"""The wheel's life outside the checkout, as `make test-wheel` tries it: built, installed, used.

In an environment of the newest Python there is, which has nothing that only developers need.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from checkout import ROOT
from ingest_site import small_registry
from served import free_port

from pipelines.emulator.server import Emulator

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(1200)]
NEWEST_FIRST = ("3.14", "3.13", "3.12", "3.11")
SOURCES = ("assets", "pipelines", "sql", "pyproject.toml", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
OTHERS = ("PYTHON", "XDG_", "SWR_", "HUAWEICLOUD_", "HW_", "DAGSTER_")
UV = shutil.which("uv")


class Installed:
    """An environment with the wheel, and a user whose home and working directory are empty."""

    def __init__(self, directory: Path) -> None:
        self.environment = directory / "environment"
        self.home = directory / "home"
        self.working = directory / "working"
        self.home.mkdir()
        self.working.mkdir()
        own = {"HOME": str(self.home), "PATH": os.defpath, "NO_PROXY": "127.0.0.1"}
        self.settings = {n: v for n, v in os.environ.items() if not n.startswith(OTHERS)} | own

    @property
    def program(self) -> str:
        """The command by its path: it is not on the PATH."""
        return str(self.environment / "bin" / "swr-warehouse")

    @property
    def data(self) -> Path:
        """Where this user's state is."""
        of_user = "Library/Application Support" if sys.platform == "darwin" else ".local/share"
        return self.home / of_user / "swr-warehouse"

    def install(self, *arguments: str) -> None:
        """Install into the environment; without the package index there is nothing to try."""
        python = str(self.environment / "bin" / "python")
        pip = [UV, "pip", "install", "--python", python] if UV else [python, "-m", "pip", "install"]
        quick = [] if UV else ["--no-compile", "--retries", "1"]
        ended = subprocess.run(
            [*pip, "--quiet", *quick, *arguments], check=False, capture_output=True, text=True
        )
        skip_without_index(ended)

    def run(self, *arguments: str, expected: int = 0) -> str:
        """Run a command; give what it prints."""
        ended = subprocess.run(
            [self.program, *arguments],
            check=False,
            cwd=self.working,
            env=self.settings,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == expected, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr


def skip_without_index(ended: subprocess.CompletedProcess[str]) -> None:
    """Fail where an installation failed, unless nobody answered it."""
    if ended.returncode and re.search("Connection|connect|resolve|timed out", ended.stderr):
        pytest.skip(f"the package index does not answer: {ended.stderr.splitlines()[-1]}")
    assert ended.returncode == 0, ended.stderr


def newest_python() -> str:
    """The newest Python that we support and this machine has."""
    for version in NEWEST_FIRST:
        command = shutil.which(f"python{version}")
        if command and not subprocess.call([command, "-c", ""], stderr=subprocess.DEVNULL):
            return command
    return sys.executable


def copy_sources(names: Iterable[str], directory: Path) -> None:
    """Copy files and folders of the checkout: building leaves files beside the sources."""
    for name in names:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, directory / name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it would be published."""
    copy, built = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    copy_sources(SOURCES, copy)
    command = [sys.executable, "-W", "ignore", "-c", BUILD, str(built)]
    subprocess.run(command, check=True, cwd=copy, capture_output=True)
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel with what running needs, by the hashes of the lock."""
    new = Installed(tmp_path_factory.mktemp("installed"))
    subprocess.run([newest_python(), "-m", "venv", str(new.environment)], check=True)
    new.install("--require-hashes", "--requirement", str(ROOT / "requirements.run.lock"))
    new.install("--no-deps", str(wheel))
    return new


@pytest.fixture(scope="module")
def contained(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment made by the steps of deploy/Containerfile, in order."""
    new, copy = Installed(tmp_path_factory.mktemp("contained")), tmp_path_factory.mktemp("copied")
    building = (ROOT / "deploy" / "Containerfile").read_text().split("\nFROM ")[1]
    building = building.replace("\\\n", "").replace("RUN python ", f"RUN {newest_python()} ")
    for step in building.replace("/opt/swr-warehouse", str(new.environment)).splitlines():
        instruction, _, arguments = step.partition(" ")
        if instruction == "COPY":
            copy_sources(arguments.split()[:-1], copy)
        if instruction == "RUN":
            command = ["sh", "-c", arguments]
            skip_without_index(
                subprocess.run(command, cwd=copy, check=False, capture_output=True, text=True)
            )
    return new


@pytest.fixture
def settings(installed: Installed) -> Iterator[dict[str, str]]:
    """Those of a registry, for the time of a test."""
    before = installed.settings
    with Emulator(small_registry()) as server:
        of_registry = {"SWR_ENDPOINT": server.url, "SWR_AUTH_TOKEN": "emulator-token"}
        installed.settings = before | of_registry
        yield installed.settings
    installed.settings = before


def test_the_demo_says_what_can_be_called_next(installed: Installed) -> None:
    """As it was called, for this user's directories; nothing appears in the working directory."""
    shown = installed.run("demo")
    hints = [line.strip() for line in shown.partition("What to try next:")[2].splitlines()]
    assert f"{installed.program} ui" in hints
    assert f"{installed.program} report" in hints
    assert f"export SWR_WAREHOUSE_DIR={installed.data / 'demo'}" in hints
    assert (installed.data / "demo" / "warehouse.duckdb").exists()
    assert list(installed.working.iterdir()) == []


@pytest.mark.usefixtures("settings")
def test_a_registry_is_read_and_shown(installed: Installed) -> None:
    """By doctor, ingest and report, with Dagster's telemetry off."""
    assert "FIX" not in installed.run("doctor")
    assert installed.run("ingest").startswith("Published in ")
    assert (installed.data / "warehouse.html").stat().st_size > 500_000
    configuration = (installed.data / "dagster" / "dagster.yaml").read_text()
    assert configuration.startswith("telemetry:\n  enabled: false\n")
    installed.run("report", "--html", "page.html")
    assert [path.name for path in installed.working.iterdir()] == ["page.html"]
    assert (installed.working / "page.html").stat().st_size > 500_000
    (installed.working / "page.html").unlink()


def test_the_pages_want_their_extra(installed: Installed) -> None:
    """Said in a sentence."""
    told = installed.run("ui", expected=2)
    assert told.strip().splitlines() == [
        "Error: Dagster's pages are not installed: pip install swr-warehouse[ui]"
    ]


def test_the_containers_steps_make_what_serves_the_pages(contained: Installed) -> None:
    """They open as `make ui` opens them, and end when asked to. What built it is not there."""
    programs = {path.name for path in (contained.environment / "bin").iterdir()}
    assert not programs & {"pip", "pip3", "gcc", "cc"}
    port = free_port()
    process = subprocess.Popen(
        [contained.program, "ui", "--port", str(port)],
        cwd=contained.working,
        env=contained.settings,
        stdout=subprocess.DEVNULL,
    )
    try:
        assert answered(f"http://127.0.0.1:{port}/server_info")["dagster_version"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert list(contained.working.iterdir()) == []


def answered(address: str) -> dict[str, str]:
    """What an address answers as soon as somebody listens there."""
    for _ in range(480):
        with suppress(requests.ConnectionError):
            answer: dict[str, str] = requests.get(address, timeout=60).json()
            return answer
        time.sleep(0.25)
    raise TimeoutError(f"{address} does not answer")
