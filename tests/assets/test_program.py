"""Hints name this program as it was called."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from assets.cli.program import as_called, program


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The program in a folder whose name a shell would take apart."""
    path = tmp_path / "my tools" / "swr-warehouse"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def call(monkeypatch: pytest.MonkeyPatch, program_path: object, *folders: Path) -> None:
    """As if it had been called by this path, with these folders on the PATH."""
    monkeypatch.setattr(sys, "argv", [str(program_path), "demo"])
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))


def test_by_its_name_where_the_path_leads_to_it(
    monkeypatch: pytest.MonkeyPatch, installed: Path
) -> None:
    """Also through a link."""
    call(monkeypatch, installed, installed.parent)
    assert program() == "swr-warehouse"
    link = installed.parents[1] / "swr-warehouse"
    link.symlink_to(installed)
    call(monkeypatch, installed, link.parent)
    assert program() == "swr-warehouse"


def test_by_the_path_it_was_called_by_elsewhere(
    monkeypatch: pytest.MonkeyPatch, installed: Path, tmp_path: Path
) -> None:
    """So too where another one of that name is found first."""
    monkeypatch.chdir(tmp_path)
    call(monkeypatch, "my tools/swr-warehouse")
    assert program() == "'my tools/swr-warehouse'"
    other = tmp_path / "swr-warehouse"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    call(monkeypatch, installed, tmp_path, installed.parent)
    assert shlex.split(program()) == [str(installed)]


def test_by_its_module_where_it_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the Python that runs it."""
    call(monkeypatch, "/usr/lib/assets/cli/__main__.py")
    assert program() == f"{shlex.quote(sys.executable)} -m assets.cli"


def test_an_error_advises_what_can_be_called(
    monkeypatch: pytest.MonkeyPatch, installed: Path
) -> None:
    """A name that is no command stays."""
    call(monkeypatch, installed)
    told = as_called("no swr-warehouse here: run `swr-warehouse ingest` first")
    assert told == f"no swr-warehouse here: run `{shlex.quote(str(installed))} ingest` first"
