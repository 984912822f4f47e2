"""What every test starts from: a clean environment, no waiting between retries."""

import os
from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings out of the tests: those of whoever runs them, and those of other tests."""
    for name in os.environ:
        if name.startswith(("SWR_", "HUAWEICLOUD_", "DAGSTER_")):
            monkeypatch.delenv(name)
    # What a test leaves in the environment goes with it.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(autouse=True)
def retry_without_waiting() -> Iterator[None]:
    """Retry as often as in production, but at once."""
    with stamina.set_testing(True, attempts=7):
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that long proofs hand over with `record_property("printed", …)`."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "printed":
                terminalreporter.section(report.nodeid.rpartition("::")[2])
                terminalreporter.write_line(str(text))
