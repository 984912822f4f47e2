"""What the product takes from Dagster's private modules is what ADR 12 lists, and is there."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from checkout import ROOT

LISTED = re.compile(r"^\| `(dagster\._[\w.]+)` \|", re.MULTILINE)
ADR = ROOT / "docs" / "adr" / "0012-what-is-dagsters-own.md"


def private_names(path: Path) -> Iterator[str]:
    """Every name of a private module of Dagster's that a file imports, or has Dagster load."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dagster._"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Dict):
            told = [value.value for value in node.values if isinstance(value, ast.Constant)]
            if told and str(told[0]).startswith("dagster._"):
                yield ".".join(map(str, told))
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("dagster._"))


def test_the_list_is_what_the_code_imports() -> None:
    """No more, no less."""
    files = [path for room in ("assets", "pipelines") for path in (ROOT / room).rglob("*.py")]
    used = {name for path in files for name in private_names(path)}
    assert sorted(LISTED.findall(ADR.read_text())) == sorted(used)


def test_every_name_is_there() -> None:
    """In the Dagster that is installed."""
    for name in LISTED.findall(ADR.read_text()):
        assert pkgutil.resolve_name(name), name
