"""What people are shown of a report: its first rows as Markdown, its picture."""

import io
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from described_registry import Description, expand, warehouse, with_what_it_reads
from PIL import Image

from pipelines.page.charts import chart
from pipelines.page.markdown import escaped, markdown_table
from pipelines.page.previews import PICTURED, previews
from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.reports import build_reports

DRAWN = {"age_buckets", "daily_growth", "namespace_sizes", "registry_size", "repository_sizes"}
# Rows that reports of an empty registry have.
ALWAYS = {"registry_size": 1, "retention_curve": 2}
# 300 bytes of one tag, 100 of two tags of a repository; the other repository shares nothing.
TWO_REPOSITORIES: Description = {
    "tags": {"a/one": {"v1": "first", "v2": "second"}, "b/two": {"v1": "other"}},
    "manifests": {
        "first": {"layers": ["base 100", "app 200"]},
        "second": {"layers": ["base 100"]},
        "other": {"layers": ["alone 100"]},
    },
}


def built(
    description: Description, names: Collection[str] = report_names()
) -> duckdb.DuckDBPyConnection:
    """A warehouse with all its reports, or with these and what they read."""
    con = warehouse(expand(description))
    build_reports(con, names={read for name in names for read in with_what_it_reads(name)})
    return con


def test_cells_are_readable_and_never_markup() -> None:
    """Bytes in units, numbers in groups, moments to the minute; a name stays a name."""
    moment = datetime(2026, 3, 1, 9, 30, 59, tzinfo=UTC)
    table = pa.table(
        {
            "name": ["a|b*c\nd", "![x](http://h)", None],
            "size_bytes": [1_300_000, 0, None],
            "count": [12_345, -1, None],
            "at": pa.array([moment, None, None], pa.timestamp("us", "UTC")),
            "is_public": [True, False, None],
        }
    )
    rows = [
        [cell.strip() for cell in line.replace("\\|", "¦").strip("|").split("|")]
        for line in markdown_table(table).splitlines()
    ]
    assert [row for row in rows if not row[0].startswith(":")] == [
        ["name", "size_bytes", "count", "at", "is_public"],
        ["a¦b\\*c d", "1.3 MB", "12,345", "2026-03-01 09:30", "yes"],
        ["`![x](http://h)`", "0 bytes", "-1", "", "no"],
        ["", "", "", "", ""],
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://x|y", "`http://x\\|y`"),
        ("`www.x``", "``` `www.x`` ```"),
        ("me@x", "`me@x`"),
        ("http:/x w.w <b>", "http:/x w.w \\<b\\>"),
    ],
)
def test_an_address_is_code_and_no_link(text: str, expected: str) -> None:
    """No escape keeps Markdown from making a link of it."""
    assert escaped(text) == expected


def test_a_long_cell_is_cut() -> None:
    """At three hundred signs."""
    shown = markdown_table(pa.table({"text": ["x" * 301]})).splitlines()[-1]
    assert shown.strip("| ") == "x" * 299 + "…"


def test_every_report_has_highlights_also_of_nothing() -> None:
    """A file of sql/previews for each, of rows that the report has."""
    with built({}) as con:
        for name in report_names():
            header, *rows = previews(con, name).splitlines()
            assert len(rows) == 1 + ALWAYS.get(name, 0), name
            assert header.count("|") > 5


def test_highlights_come_in_the_order_that_matters() -> None:
    """What nobody else uses decides."""
    with built(TWO_REPOSITORIES, ["repository_sizes"]) as con:
        lines = previews(con, "repository_sizes").splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells == [
        ["a", "one", "2", "400 bytes", "300 bytes", "300 bytes", "exact", "complete"],
        ["b", "two", "1", "100 bytes", "100 bytes", "100 bytes", "exact", "complete"],
    ]


def shades(image: bytes) -> dict[str, int]:
    """Count the pixels of each colour of a PNG."""
    pixels = Image.open(io.BytesIO(image)).convert("RGB")
    counts = pixels.getcolors(pixels.width * pixels.height) or []
    return {f"#{red:02x}{green:02x}{blue:02x}": n for n, (red, green, blue) in counts}  # type: ignore[misc] # colours of RGB


def test_the_bars_are_as_long_as_the_ledger_says() -> None:
    """One tag uses three quarters, several tags of a repository the last."""
    with built(TWO_REPOSITORIES, ["registry_size"]) as con:
        image = chart(con, "registry_size")
    assert image is not None
    drawn = shades(image)
    assert drawn["#2b5c8a"] / drawn["#e08214"] == pytest.approx(3, rel=0.05)


def test_only_some_reports_are_drawn() -> None:
    """The others are rows and nothing else."""
    with built(TWO_REPOSITORIES) as con:
        images = {name: chart(con, name) for name in report_names()}
    assert {name for name, image in images.items() if image} == DRAWN == PICTURED
    sizes = {Image.open(io.BytesIO(image)).size for image in images.values() if image}
    assert sizes == {(670, 210)}


@pytest.mark.parametrize("namespace", ["$x^$", "emoji-🐳", "line\nbreak", "_hidden", "n" * 300])
def test_no_name_spoils_a_picture(namespace: str) -> None:
    """Formulas, letters no font has, hidden labels and endless names are drawn as text."""
    description: Description = {
        "tags": {f"{namespace}/one": {"v1": "image"}},
        "manifests": {"image": {"layers": ["base 100"]}},
    }
    with built(description, DRAWN) as con:
        assert all(chart(con, name) for name in DRAWN)


@pytest.mark.parametrize(
    "manifest",
    [{"children": ["never-read"]}, {"layers": ["big 70368744177664"]}],
    ids=["nothing known", "large"],
)
def test_no_figure_spoils_a_picture(manifest: dict[str, Any]) -> None:
    """Whether nothing is known, or sums are as large as they get."""
    tags = {f"v{number}": f"m{number}" for number in range(50)}
    description: Description = {
        "tags": {"shop/one": tags},
        "manifests": dict.fromkeys(tags.values(), manifest),
    }
    with built(description, DRAWN) as con:
        assert all(chart(con, name) for name in DRAWN)


def test_a_warehouse_before_its_first_run_is_drawn_too() -> None:
    """There is nothing yet, and that is no error."""
    with built({}, DRAWN) as con:
        assert all(chart(con, name) for name in DRAWN)
