"""The page as a file: what is in it at any size, when it is written, and what if it cannot be."""

import hashlib
import json
import lzma
import re
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest
from checkout import ROOT
from click.testing import CliRunner
from page_site import page_registry, page_settings
from plain_run import run_steps

from assets.cli.main import main
from pipelines.errors import WarehouseError
from pipelines.page.html.writing import write_page
from pipelines.run.forget import forget
from pipelines.run.progress import NoProgress
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.publish import publish
from pipelines.warehouse.reports import build_reports

VENDOR = files("pipelines.page.html") / "vendor"
Rows = list[dict[str, Any]]
# A registry of 100,000 tags in 6,000 repositories of 400 namespaces, as its reports have it; each
# repository has as many tags as its number leaves over. Bytes follow from numbers.
LARGE = """
create temp table tags as
select
    'cn' as registry, 'team-' || (repo % 400) as namespace, 'services/name-' || repo as repository,
    'v1.' || number as tag, (number * 7919) % 1000003 as exclusive_bytes,
    1000003 + (number * 104729) % 900001 as logical_bytes,
    if(number % 1000 = 0, 'lower_bound', 'exact') as size_basis,
    if(number % 777 = 0, 'upper_bound', 'exact') as exclusive_basis,
    timestamptz '2026-01-01 00:00:00+00' - to_hours(number::integer) as updated_at
from (select number, least(number % 6000, number % 977) as repo from range(100000) as t(number));

insert into reports.tag_sizes by name from tags;
insert into reports.repository_sizes by name
select
    registry, namespace, repository, count(*) as tag_count,
    5000000 + count(*) as deduplicated_bytes, min(size_basis) as size_basis,
    sum(exclusive_bytes) + 17 as exclusive_bytes, min(exclusive_basis) as exclusive_basis,
    sum(exclusive_bytes) + 1017 as allocated_bytes, 'exact' as allocated_basis,
    max(updated_at) as newest_updated_at
from tags group by registry, namespace, repository;
insert into reports.namespace_sizes by name
select
    registry, namespace, sum(tag_count) as tag_count,
    sum(deduplicated_bytes) - 1 as deduplicated_bytes, 'exact' as size_basis,
    sum(exclusive_bytes) + 100 as exclusive_bytes, 'exact' as exclusive_basis,
    sum(allocated_bytes) as allocated_bytes, 'exact' as allocated_basis,
    max(newest_updated_at) as newest_updated_at
from reports.repository_sizes group by registry, namespace;
update reports.registry_size set as_of = timestamptz '2026-01-01 00:00:00+00', registry = 'cn';
"""
MEASURES = ("tag_count", "deduplicated_bytes", "exclusive_bytes", "allocated_bytes")


def answers(page: Path) -> dict[str, Rows]:
    """The rows that a page brings along, by answer."""
    [text] = re.findall(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    return {name: rows_of(answer) for name, answer in json.loads(text)["answers"].items()}


def rows_of(answer: dict[str, Any]) -> Rows:
    """The rows of an answer; of a text the page has the number among the distinct ones."""
    columns = {
        name: column
        if isinstance(column, list)
        else [None if row is None else column["texts"][row] for row in column["rows"]]
        for name, column in answer["columns"].items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.fixture(scope="module")
def nothing_read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published warehouse whose reports tell of no registry; each test has its own copy."""
    directory = tmp_path_factory.mktemp("nothing") / "warehouse"
    directory.mkdir()
    start_building(directory)
    with connect_building(directory) as con:
        build_reports(con)
    publish(directory)
    return directory


@pytest.fixture
def nothing(nothing_read: Path, tmp_path: Path) -> Path:
    """A copy of it, to which a test adds rows."""
    return shutil.copytree(nothing_read, tmp_path / "warehouse")


def test_a_long_tail_is_rows_that_sum_and_the_page_stays_small(nothing: Path) -> None:
    """Parts and rest of each whole that is shown, at every level, are what the report has."""
    start_building(nothing)
    with connect_building(nothing) as con:
        con.execute(LARGE)
    publish(nothing)
    page = nothing / "page.html"
    write_page(nothing, page)
    assert page.stat().st_size < 5_000_000
    shown = answers(page)["sizes"]
    with duckdb.connect(str(nothing / "warehouse.duckdb"), read_only=True) as con:
        for level in (1, 2, 3):
            reported = sums(con, level)
            rows = of(shown, level)
            assert summed(rows, level) == {
                whole: sums for whole, sums in reported.items() if whole in wholes(rows, level)
            }
    # Whatever has a name is shown with its parts, and nothing else is.
    for level in (1, 2):
        names = [(row["namespace"], row["repository"])[:level] for row in of(shown, level)]
        assert wholes(of(shown, level + 1), level + 1) == {name for name in names if name[-1]}
    assert [row["part_count"] for row in shown if row["namespace"] is None] == [100]


def of(rows: Rows, level: int) -> Rows:
    """The rows of a level."""
    return [row for row in rows if row["level"] == level]


def whole_of(row: dict[str, Any], level: int) -> tuple[Any, ...]:
    """What a row is a part of."""
    return (row["namespace"], row["repository"])[: level - 1]


def wholes(rows: Rows, level: int) -> set[tuple[Any, ...]]:
    """What the rows are parts of."""
    return {whole_of(row, level) for row in rows}


def summed(rows: Rows, level: int) -> dict[tuple[Any, ...], list[int]]:
    """The sums of the parts of each whole."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        sums = found.setdefault(whole_of(row, level), [0] * len(MEASURES))
        for place, name in enumerate(MEASURES):
            sums[place] += row[name] or 0
    return found


def sums(con: duckdb.DuckDBPyConnection, level: int) -> dict[tuple[Any, ...], list[int]]:
    """The same of a report, by its own rows."""
    table = {1: "namespace_sizes", 2: "repository_sizes", 3: "tag_sizes"}[level]
    columns = {
        1: "null, null, tag_count, deduplicated_bytes, exclusive_bytes, allocated_bytes",
        2: "namespace, null, tag_count, deduplicated_bytes, exclusive_bytes, allocated_bytes",
        3: "namespace, repository, 1, logical_bytes, exclusive_bytes, 0",
    }[level]
    rows = con.execute(f"select {columns} from reports.{table}").fetchall()
    names = ("namespace", "repository", *MEASURES)
    return summed([dict(zip(names, row, strict=True)) for row in rows], level)


@pytest.mark.parametrize(
    ("bases", "expected"),
    [
        (["exact", "exact"], "exact"),
        (["exact", "lower_bound"], "lower_bound"),
        (["upper_bound", "exact"], "upper_bound"),
        (["upper_bound", "lower_bound"], "estimate"),
        (["exact", "unknown"], "lower_bound"),
        (["unknown", "upper_bound"], "estimate"),
        (["estimate", "exact"], "estimate"),
        (["unknown", "unknown"], "unknown"),
    ],
)
def test_a_sum_is_known_as_far_as_its_parts(nothing: Path, bases: list[str], expected: str) -> None:
    """Of a tail of two followers: 200 larger ones have rows of their own."""
    start_building(nothing)
    with connect_building(nothing) as con:
        con.execute(
            "insert into reports.orphaned_followers (reclaimable_bytes, reclaimable_basis)"
            " select 1000, 'exact' from range(200)"
        )
        for basis in bases:
            size = None if basis == "unknown" else 1
            con.execute(
                "insert into reports.orphaned_followers"
                " (reclaimable_bytes, reclaimable_basis) values (?, ?)",
                [size, basis],
            )
    publish(nothing)
    write_page(nothing, nothing / "page.html")
    *_, rest = answers(nothing / "page.html")["orphaned_followers"]
    known = [basis for basis in bases if basis != "unknown"]
    assert (rest["tag_count"], rest["reclaimable_bytes"]) == (2, len(known) or None)
    assert rest["reclaimable_basis"] == expected


def test_the_charts_are_as_they_were_published() -> None:
    """Byte for byte, with their licenses; `make vendor` fetches them again."""
    for line in (VENDOR / "SHA256SUMS").read_text("utf-8").splitlines():
        expected, name = line.split()
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == expected
    licenses = (VENDOR / "LICENSES.txt").read_text("utf-8")
    assert "vega 6.4.0" in licenses
    assert "vega-interpreter 2.3.2" in licenses
    assert "vega@6.4.0 vega-interpreter@2.3.2" in (ROOT / "Makefile").read_text()


def test_nothing_of_the_page_is_read_from_elsewhere() -> None:
    """No address in what is ours; in the charts' code only names of standards and projects."""
    ours = files("pipelines.page.html")
    for path in (ours / "template.html", ours / "page.css", *(ours / "code").iterdir()):
        assert "://" not in path.read_text("utf-8"), path
    for path in (ours / "charts").iterdir():
        assert "://" not in path.read_text("utf-8"), path


class Told(NoProgress):
    """Keeps what people are told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        """Keep it."""
        self.notices.append(text)


def test_a_run_leaves_no_page_where_none_is_wanted(tmp_path: Path) -> None:
    """SWR_WRITE_PAGE=false."""
    with page_settings(tmp_path, page_registry(), write_page=False) as settings:
        run_steps(settings)
    assert (tmp_path / "warehouse.duckdb").exists()
    assert not list(tmp_path.glob("*warehouse.html*"))


def test_a_page_that_cannot_be_written_fails_no_run(tmp_path: Path) -> None:
    """One sentence says so; the warehouse is published."""
    (tmp_path / "warehouse.html").mkdir(parents=True)
    told = Told()
    with page_settings(tmp_path, page_registry()) as settings:
        run_steps(settings, progress=told)
    assert (tmp_path / "warehouse.duckdb").exists()
    [notice] = told.notices
    assert notice.startswith(f"The page was not written: {tmp_path / 'warehouse.html'}")


def test_what_is_forgotten_is_gone_from_the_page_too(tmp_path: Path) -> None:
    """It is published, so the page follows."""
    with page_settings(tmp_path, page_registry()) as settings:
        run_steps(settings)
        forget(settings, "shop")
    shown = answers(tmp_path / "warehouse.html")["sizes"]
    assert {row["namespace"] for row in shown} == {"data", "platform"}


def test_an_earlier_releases_warehouse_is_told_to_be_ingested(tmp_path: Path) -> None:
    """In one sentence; nothing is written."""
    stored = ROOT / "tests" / "warehouse" / "stored" / "0003.duckdb.xz"
    (tmp_path / "warehouse.duckdb").write_bytes(lzma.decompress(stored.read_bytes()))
    with pytest.raises(WarehouseError, match="An earlier release published this warehouse"):
        write_page(tmp_path, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_report_html_writes_the_page_and_says_where(
    tmp_path: Path, site_settings: Callable[[str], Path]
) -> None:
    """Without a warehouse nothing is written."""
    directory = site_settings("http://127.0.0.1:1")
    page = tmp_path / "page.html"
    refused = CliRunner().invoke(main, ["report", "--html", str(page)])
    assert "run `swr-warehouse ingest` first" in refused.stderr
    with page_settings(directory, page_registry(), write_page=False) as settings:
        run_steps(settings)
    result = CliRunner().invoke(main, ["report", "--html", str(page)])
    assert (result.exit_code, result.output) == (0, f"Wrote {page}: open it in a browser.\n")
    assert answers(page)["overview"][0]["tag_count"] == 32
