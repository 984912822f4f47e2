"""What every test starts from: a clean environment, no waiting between retries."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina
from hypothesis import settings

# A change is judged by the same examples each time; `make soak` draws them anew. How long one
# takes says how busy the machine is.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("anew", deadline=None)
settings.load_profile("same")

_CERTIFICATES = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}


@pytest.fixture(scope="session")
def user_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the user's data is, so that no test touches that of whoever runs it."""
    return tmp_path_factory.mktemp("user")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, user_data: Path) -> None:
    """Keep settings out of the tests: those of whoever runs them, and those of other tests."""
    for name in os.environ:
        prefixes = ("SWR_", "HUAWEICLOUD_", "HW_", "DAGSTER_")
        if name.startswith(prefixes) or name in _CERTIFICATES:
            monkeypatch.delenv(name)
    # What a test leaves in the environment goes with it.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("XDG_DATA_HOME", str(user_data))
    # It takes as long as such a run itself; `tests/page` has runs that write it.
    monkeypatch.setenv("SWR_WRITE_PAGE", "false")


@pytest.fixture(autouse=True)
def retry_without_waiting() -> Iterator[None]:
    """Retry as often as in production, but at once."""
    with stamina.set_testing(True, attempts=7):
        yield


@pytest.fixture(scope="module")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: making its databases takes longer than a run."""
    return tmp_path_factory.mktemp("dagster")


@pytest.fixture
def site_settings(
    tmp_path: Path, dagster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Point the settings at an emulator, by its URL; gives the directory of the warehouse."""

    def point(url: str) -> Path:
        directory = tmp_path / "warehouse"
        for name, value in {
            "SWR_ENDPOINT": url,
            "SWR_AUTH_TOKEN": "emulator-token",
            "SWR_REQUESTS_PER_SECOND": "0",
            "SWR_WAREHOUSE_DIR": str(directory),
            "DAGSTER_HOME": str(dagster_home),
        }.items():
            monkeypatch.setenv(name, value)
        return directory

    return point


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests of browsers and servers wait for much of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that long proofs hand over with `record_property("printed", …)`."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "printed":
                terminalreporter.section(report.nodeid.rpartition("::")[2])
                terminalreporter.write_line(str(text))
