"""docs/deciding.md: every command runs, in the order of the page, and leaves its file."""

import csv
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from checkout import ROOT
from click.testing import CliRunner
from ingest_site import PlainSite

from assets.cli.main import main
from pipelines.deciding.rules import SWITCHES
from pipelines.emulator.built_in.registry import built_in_registry
from pipelines.emulator.server import Emulator

PAGE = (ROOT / "docs" / "deciding.md").read_text()
FILES = re.findall(r"```(?:yaml|text)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    command
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainSite]:
    """The demo's registry, read once."""
    with Emulator(built_in_registry(datetime.now(UTC).date())) as server:
        found = PlainSite(server, tmp_path_factory.mktemp("demo") / "warehouse")
        found.ingest()
        yield found


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_recipe_leaves_its_file(
    site: PlainSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five questions, eight commands."""
    site.set_environment()
    monkeypatch.chdir(tmp_path)
    for name, text in FILES:
        Path(name).write_text(text)
    assert len(COMMANDS) == 8
    for command in COMMANDS:
        words = shlex.split(command)
        target = words[words.index(">") + 1] if ">" in words else None
        arguments = words[1 : words.index(">")] if ">" in words else words[1:]
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        if target:
            Path(target).write_text(result.stdout)
    verdicts, compared, planned = (rows(Path(f"{n}.csv")) for n in ("verdicts", "compared", "plan"))
    [live] = site.query("select count(*) as tags from tags")
    assert len(verdicts) == len(compared) == live["tags"]
    assert {row["verdict"] for row in verdicts} == {"deleted", "kept"}
    assert {row["other_verdict"] for row in compared} == {"deleted", "kept"}
    resources = Path("rules.tf").read_text().count('resource "')
    assert resources == len({(row["namespace"], row["repository"]) for row in verdicts})
    assert {row["template"] for row in rows(Path("curve.csv"))} == {"tag_rule", "date_rule"}
    assert sum(int(row["bytes"]) for row in planned) >= 20_000_000_000
    assert Path("plan.http").read_text().count("DELETE ") == len(planned)
    assert [(row["tag"], row["reason"]) for row in rows(Path("running.csv"))] == [
        ("", "other_host"),
        ("latest", ""),
    ]
    assert rows(Path("untagged.csv")) == []


def test_the_page_lists_every_reading() -> None:
    """Each switch with each of its values."""
    for name, values in SWITCHES.items():
        [line] = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
        assert all(f"`{value}`" in line for value in values)
