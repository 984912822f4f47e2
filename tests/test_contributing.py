"""What contributors and readers are given agrees: linters, locks, the documentation's site."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from checkout import ROOT

PINNED = re.compile(r"^([a-z0-9][\w.-]*(?:\[[\w,-]+\])?==\S+)", re.MULTILINE)
MAKEFILE = (ROOT / "Makefile").read_text()


def pins(name: str) -> set[str]:
    """What a lock installs, with versions."""
    return set(PINNED.findall((ROOT / name).read_text()))


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("requirements.run.lock", "requirements.ui.lock"),
        ("requirements.ui.lock", "requirements.lock"),
        ("requirements.run.lock", "requirements.spark.lock"),
    ],
)
def test_what_running_needs_is_a_part_of_what_developers_have(part: str, whole: str) -> None:
    """In the same versions, or tests would prove something else than what runs."""
    assert pins(part) < pins(whole)


@pytest.mark.parametrize("lock", ["requirements.run.lock", "requirements.ui.lock"])
def test_running_needs_nothing_that_only_developers_use(lock: str) -> None:
    """Neither linters nor tests nor types."""
    names = {pin.partition("==")[0] for pin in pins(lock)}
    assert {"dagster", "duckdb", "pyarrow"} < names
    assert not names & {"mypy", "pytest", "ruff", "hypothesis", "playwright", "mkdocs", "pip"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.lock")), ids=lambda path: str(path.name))
def test_a_lock_has_hashes_and_names_no_index(path: Path) -> None:
    """Where packages come from is the business of whoever installs them."""
    text = path.read_text()
    assert text.count("--hash=sha256:") >= len(PINNED.findall(text))
    assert not re.search(r"://|--index|--find-links", text)


def test_hooks_run_the_linters_of_make_lint() -> None:
    """All of them."""
    (recipe,) = re.findall(r"^lint: venv\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (hooks,) = [repository["hooks"] for repository in config["repos"]]
    hooked = {" ".join(hook["entry"].split()[:2]) for hook in hooks}
    linters = {" ".join(line.split()[:2]) for line in recipe.splitlines()}
    assert hooked == {line.replace("$(BIN)", ".venv/bin") for line in linters}


def test_the_site_is_made_and_no_link_leads_nowhere(tmp_path: Path) -> None:
    """Strictly: a page outside the navigation, or a heading that is not there, is an error."""
    # With --quiet it would count none.
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build"]
    made = subprocess.run(
        [*command, "--site-dir", str(tmp_path)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "search" / "search_index.json").exists()
    pages = {path.stem for path in (ROOT / "docs").rglob("*.md")}
    assert pages <= {path.stem for path in tmp_path.rglob("*.html")}
    sources = [tmp_path / path.relative_to(ROOT) for path in (ROOT / "sql").rglob("*.sql")]
    assert all(path.exists() for path in sources)
