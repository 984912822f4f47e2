"""Tables on a terminal: what fits, what is left out, and nothing of what strangers wrote obeyed."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from ingest_site import AT, at_crawl_site, manifest, small_registry
from rich.console import Console

from assets.cli.main import main
from assets.cli.tables import aligned, fitted
from pipelines.emulator.messages import Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.page.plain_text import printable

WIDE = pa.table({"name": ["a" * 30, "b"], "size": [1, 22], "rest": ["r" * 60, "s"]})
HOSTILE = ["[red]x[/red]", "[/b]", "a\x1b[31mred", "b\u202egpj", "=1+1", ":smile:", "@x"]


def shown(table: pa.Table, width: int, *, all_columns: bool = False, limit: int = 100) -> list[str]:
    """The lines of a terminal of that width."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, markup=False, color_system=None)
    console.print(fitted(table, console, all_columns=all_columns, limit=limit))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_terminal_shows_the_columns_that_fit() -> None:
    """And names the others; one column at least."""
    assert shown(WIDE, 100) == [
        f"name{'':26}  size  rest",
        f"{'a' * 30}     1  {'r' * 60}",
        f"b{'':29}    22  s",
    ]
    assert shown(WIDE, 90) == [
        f"name{'':26}  size",
        f"{'a' * 30}     1",
        f"b{'':29}    22",
        "not shown: rest; --all-columns shows them",
    ]
    assert " ".join(shown(WIDE, 20)[-3:]) == "not shown: size, rest; --all-columns shows them"


def test_a_narrow_terminal_shows_all_columns_line_by_line() -> None:
    """When asked for them."""
    assert shown(WIDE, 79, all_columns=True) == [
        f"name = {'a' * 30}",
        "size = 1",
        f"rest = {'r' * 60}",
        "",
        "name = b",
        "size = 22",
        "rest = s",
    ]


def test_a_terminal_shows_a_hundred_rows() -> None:
    """And says how many there are."""
    lines = shown(pa.table({"n": range(1234)}), 100)
    assert len(lines) == 102
    assert lines[-1] == "100 of 1,234 rows; --limit 1234 shows all"


def test_elsewhere_a_table_is_whole() -> None:
    """In a pipe nobody asks how wide it is."""
    table = pa.table({"n": range(500), "text": [f"{number:>200}|" for number in range(500)]})
    shown = fitted(table, Console(file=io.StringIO(), width=80), all_columns=False, limit=100)
    assert isinstance(shown, str)
    assert shown.splitlines()[0] == "  n  text"
    assert shown.splitlines()[1:] == [f"{number:>3}  {number:>200}|" for number in range(500)]


def test_wide_characters_take_two_columns() -> None:
    """As terminals and editors show them."""
    assert aligned(pa.table({"a": ["鲸", "b"], "n": [1, 20]})).splitlines() == [
        "a    n",
        "鲸   1",
        "b   20",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 🐳 [/b]", "plain é 🐳 [/b]"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u2066c\u200bd", "a\\u202eb\\u2066c\\u200bd"),
        ("line\nbreak\r\t", "line\\nbreak\\r\\t"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_written_out(text: str, expected: str) -> None:
    """Whatever writes like a letter stays."""
    assert printable(text) == expected


@pytest.fixture(scope="module")
def hostile() -> Iterator[Emulator]:
    """A registry with tags of hostile names, and a repository that fails with hostile words."""
    registry = Registry()
    for name in HOSTILE:
        registry.push("shop", "app", name, manifest(("base", 1000)), at=AT)
    registry.push("broken", "app", "v1", manifest(("base", 1000)), at=AT)
    with Emulator(registry) as server:
        words = b'{"errors":[{"errorCode":"x","errorMessage":"[/x] \\u001b[31m no"}]}'
        server.fault = lambda request: (
            Response(403, {}, words) if "/broken/repos/app/tags" in request.target else None
        )
        yield server


@pytest.fixture
def run(hostile: Emulator, site_settings: Callable[[str], Path]) -> Callable[..., Result]:
    """Run a command on the warehouse of that registry; nothing may escape but the exit code."""
    site_settings(hostile.url)

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output
        return result

    return command


@pytest.fixture(scope="module")
def any_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published warehouse, whatever it holds."""
    with at_crawl_site(tmp_path_factory.mktemp("any"), small_registry()) as site:
        assert site.ingest() == "complete"
    return site.directory


@pytest.fixture
def looking(
    run: Callable[..., Result], any_warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run a command that only looks at that one."""
    monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(any_warehouse))
    return run


def test_hostile_names_are_text_wherever_they_are_shown(run: Callable[..., Result]) -> None:
    """Neither markup nor control sequences nor formulas."""
    ingested = run("ingest")
    assert ingested.exit_code == 1
    assert "[/x] \\x1b[31m no" in ingested.stderr
    table = run("query", "select tag from tags order by tag").stdout.splitlines()
    assert sorted(line.strip() for line in table) == sorted(["tag", *map(printable, HOSTILE)])
    listing = run("tags", "shop/app").stdout
    assert all(printable(name) in listing for name in HOSTILE)
    assert run("report").exit_code == 0
    for name in HOSTILE:
        assert run("explain", f"shop/app:{name}").stdout.startswith(f"shop/app:{printable(name)} →")
    for arguments in (
        ["query", "from [/b]"],
        ["tags", "[/b]"],
        ["explain", "[/b]\x1b"],
        ["query", "select error('[/b]')"],
    ):
        assert run(*arguments).exit_code == 2
    csv = run("query", "select tag from tags where tag like '=%' or tag like '@%'", "--format=csv")
    assert csv.stdout.splitlines() == ['"tag"', '"\'=1+1"', '"\'@x"']
    raw = run("query", "select tag from tags where tag like '=%'", "--format", "csv", "--raw")
    assert raw.stdout.splitlines() == ['"tag"', '"=1+1"']


@pytest.mark.parametrize(
    ("ending", "beginning"), [("csv", b'"n"'), ("json", b"[{"), ("parquet", b"PAR1"), ("txt", b"n")]
)
def test_the_ending_of_a_file_implies_the_format(
    looking: Callable[..., Result], tmp_path: Path, ending: str, beginning: bytes
) -> None:
    """A table where it implies none."""
    target = tmp_path / f"result.{ending}"
    assert looking("query", "select 1 as n", "--output", str(target)).exit_code == 0
    assert target.read_bytes().lstrip().startswith(beginning)
