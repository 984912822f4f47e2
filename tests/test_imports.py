"""What a program that has just begun has imported: little, where it needs little."""

import subprocess
import sys

import pytest
from checkout import ROOT

SLOW = {"dagster", "duckdb", "matplotlib", "numpy", "pandas", "pyarrow", "requests", "sqlglot"}
COMMAND = """
import sys
from assets.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
"""
IMPORTED = "\nimport sys; print(*sys.modules, file=sys.stderr)"


def imported(code: str, *arguments: str) -> set[str]:
    """Which of the slow ones a fresh interpreter imports for some code."""
    command = [sys.executable, "-W", "ignore", "-c", code + IMPORTED, *arguments]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return SLOW & set(ended.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "command", [[], ["query"], ["ingest"], ["reclaimable"], ["retention"], ["plan"], ["tags"]]
)
def test_help_imports_nothing_slow(command: list[str]) -> None:
    """Nor does that of a command."""
    assert imported(COMMAND, *command, "--help") == set()


def test_the_emulators_help_imports_only_what_serves_faults() -> None:
    """It lists them."""
    assert imported(COMMAND, "emulator", "--help") & {"dagster", "duckdb", "pyarrow"} == set()


def test_the_definitions_neither_parse_sql_nor_draw() -> None:
    """What is derived from the SQL is kept, pictures are drawn when somebody looks."""
    loaded = imported("import assets.definitions")
    assert "dagster" in loaded
    assert loaded & {"matplotlib", "pandas", "sqlglot"} == set()


def test_arrow_does_without_pandas() -> None:
    """Making arrays from lists and lists from arrays; charts still have it."""
    code = "import pipelines.schemas, pyarrow as pa; assert pa.array([1, None]).to_pylist()"
    assert "pandas" not in imported(code)
    assert "pandas" in imported(code + "; import pipelines.page.charts")
