"""The rooms of the house keep to what they may know: docs/adr/0001-rooms.md."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from checkout import ROOT

ALLOCATOR = "ARROW_DEFAULT_MEMORY_POOL"
HTTP = {"requests", "urllib3", "http"}
# LandingWriter, and what none of its modules may import.
FORBIDDEN = [
    ("pipelines", {"dagster", "assets", "tests"}),
    ("assets", {"tests"}),
    (
        "pipelines/deciding",
        {
            "duckdb",
            *(f"pipelines.{room}" for room in ("images", "landing", "run", "swr", "warehouse")),
            *HTTP,
        },
    ),
    (
        "pipelines/running",
        {
            "duckdb",
            *(f"pipelines.{room}" for room in ("images", "landing", "run", "swr", "warehouse")),
            *HTTP,
        },
    ),
    ("pipelines/images", {"duckdb", "pipelines.swr", "pipelines.warehouse", *HTTP}),
    ("pipelines/landing", {"duckdb", "pipelines.swr", "pipelines.images", *HTTP}),
    ("pipelines/warehouse", {"pipelines.swr", "pipelines.images", "pipelines.landing", *HTTP}),
    ("benchmarks", {"dagster", "assets", "tests"}),
    (
        "pipelines/swr",
        {"duckdb", "pyarrow", "pipelines.images", "pipelines.registry", "pipelines.warehouse"},
    ),
    ("pipelines/registry", {"duckdb", "pyarrow", "pipelines.images", "pipelines.warehouse"}),
]


def imports(path: Path) -> Iterator[str]:
    """Name every module a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize(("folder", "forbidden"), FORBIDDEN)
def test_a_room_imports_nothing_it_must_not_know(folder: str, forbidden: set[str]) -> None:
    """Arrows point one way."""
    found = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / folder).rglob("*.py")
        for module in imports(path)
        if any(module == name or module.startswith(name + ".") for name in forbidden)
    }
    assert found == set()


def test_there_is_no_third_package_and_no_drawer_for_odds_and_ends() -> None:
    """Two packages, and no module named for nothing."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {"assets", "pipelines"}
    drawers = {"utils", "util", "common", "helpers", "misc"}
    assert not [
        path
        for path in ROOT.glob("*/**/*.py")
        if path.stem in drawers and ".venv" not in path.parts
    ]


def test_every_folder_of_the_product_is_packaged() -> None:
    """Setuptools finds none of them by itself."""
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in ("assets", "pipelines", "sql")
        for path in (ROOT / top).rglob("*.py" if top != "sql" else "*.sql")
    }
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(settings["tool"]["setuptools"]["packages"])
    assert listed - {"sql"} == found


def test_the_map_of_the_house_shows_every_room() -> None:
    """In at most 25 lines, and no room that is not there."""
    (shown,) = re.findall(
        r"^```\n(pipelines/.*?)^```",
        (ROOT / "README.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert len(shown.splitlines()) <= 25
    top = ""
    rooms = set()
    for line in shown.splitlines():
        names = re.findall(r"(?<!\S)(\w+)/(?=\s|$)", line)
        if line.startswith(" "):
            rooms |= {f"{top}/{name}" for name in names}
        else:
            top = names[0]
            rooms.add(top)
    for parent in ("pipelines", "assets", "sql"):
        there = {f"{parent}/{path.name}" for path in (ROOT / parent).iterdir() if is_room(path)}
        assert {room for room in rooms if room.startswith(f"{parent}/")} == there
    assert {"pipelines", "assets", "sql", "tests", "benchmarks", "docs"} <= rooms


def test_the_glossary_is_short() -> None:
    """At most 25 words."""
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Glossary")[2]
    rows = re.findall(r"^\| (?!word |---)", text.partition("\n## ")[0], re.MULTILINE)
    assert len(rows) <= 25


@pytest.mark.parametrize("package", ["pipelines", "assets"])
def test_no_function_is_long(package: str) -> None:
    """More than forty lines are more than one thing."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        (path.name, node.name)
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, kinds) and (node.end_lineno or 0) - node.lineno >= 40
    ]
    assert long == []


def is_room(path: Path) -> bool:
    """Whether it is a folder that holds code."""
    return any(path.rglob("*.py")) or any(path.rglob("*.sql"))


def test_a_package_is_its_docstring() -> None:
    """No package of `pipelines` runs code or gives its modules a second name."""
    for path in (ROOT / "pipelines").glob("*/**/__init__.py"):
        body = ast.parse(path.read_text()).body
        assert [type(node) for node in body] == [ast.Expr], path


@pytest.mark.skipif(sys.platform != "linux", reason="no choice elsewhere")
@pytest.mark.parametrize("module", ["assets.defs.landing", "pipelines.run.ingest"])
def test_arrow_gives_back_memory_whatever_is_imported_first(module: str) -> None:
    """It asks for the allocator once, which `pipelines` must therefore name before all else."""
    ask = f"import {module}, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    own = {name: value for name, value in os.environ.items() if name != ALLOCATOR}
    for environment, expected in ((own, "jemalloc"), (own | {ALLOCATOR: "system"}, "system")):
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", ask],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout == f"{expected}\n"


def test_sql_is_no_python() -> None:
    """The folder of SQL holds SQL and nothing else."""
    suffixes = {path.suffix for path in (ROOT / "sql").rglob("*") if path.is_file()}
    assert suffixes == {".sql"}


def test_no_future_annotations() -> None:
    """They break the context argument of Dagster's asset functions."""
    for folder in ("assets", "pipelines"):
        for path in (ROOT / folder).rglob("*.py"):
            assert "__future__" not in set(imports(path)), path


def test_a_checkout_and_the_wheel_open_the_same_code_location() -> None:
    """The workspace at the top is for programs of Dagster's own, the other one is packaged."""
    [checkout], [installed] = (
        yaml.safe_load((ROOT / place / "workspace.yaml").read_text())["load_from"]
        for place in (".", "assets")
    )
    assert checkout["python_module"].pop("working_directory") == "."
    assert checkout == installed
