"""What `demo` says and leaves, and what people see in Dagster's pages after it.

One demo and one `ui` for all: their commands as they are shipped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ingest_site import small_registry
from playwright.sync_api import Locator, Page, ViewportSize, expect
from served import CHROMIUM, browser
from shown_demo import demo_in, pages_of, warehouse_of

from pipelines.emulator.messages import Logged
from pipelines.emulator.server import Emulator
from pipelines.warehouse.query import run_query

in_a_browser = pytest.mark.skipif(
    not CHROMIUM,
    reason="no chromium on the path: what the browser tests prove is NOT proven here "
    "(apt-get install chromium)",
)
SCREEN = ViewportSize(width=1280, height=800)


@dataclass(frozen=True)
class Demo:
    """What the demo printed, where its warehouse is, and what a real registry was asked by it."""

    output: str
    warehouse: Path
    asked: list[Logged]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo is."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(directory: Path) -> Demo:
    """The demo, run where the settings are those of a real registry."""
    with Emulator(small_registry()) as real:
        settings = {"SWR_ENDPOINT": real.url, "SWR_AUTH_TOKEN": "emulator-token", "COLUMNS": "80"}
        output = demo_in(directory, settings)
        return Demo(output, warehouse_of(directory), list(real.log))


@dataclass(frozen=True)
class Visit:
    """A browser at the pages."""

    demo: Demo
    address: str
    page: Page

    def open(self, path: str) -> Page:
        """Go to a page of Dagster's."""
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture(scope="module")
def visit(directory: Path, demo: Demo) -> Iterator[Visit]:
    """The demo, its pages and a browser."""
    with pages_of(directory) as address, browser() as chromium:
        page = chromium.new_page(viewport=SCREEN)
        page.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        yield Visit(demo, address, page)


def is_whole_on_screen(part: Locator) -> bool:
    """Whether all of it is seen without scrolling, neither the page nor the part that holds it."""
    box = part.bounding_box()
    assert box is not None
    is_cut = part.evaluate(
        "part => part.parentElement.scrollWidth > part.parentElement.clientWidth"
    )
    return box["y"] >= 0 and box["y"] + box["height"] <= SCREEN["height"] and not is_cut


def test_the_demo_leaves_a_real_registry_alone(demo: Demo) -> None:
    """Whatever is set, it reads its own emulator, into a warehouse of its own."""
    assert demo.asked == []
    assert "First run: complete" in demo.output
    assert "A day later: complete" in demo.output
    for told in ("The largest repositories", "Bytes by age", "Tags changed: ", "What to try next"):
        assert told in demo.output
    for namespace in ("data", "platform", "shop"):
        assert namespace in demo.output
    lines = [line for line in demo.output.splitlines() if "swr-warehouse query" not in line]
    assert max(len(line) for line in lines if "export" not in line) <= 80


def test_the_demo_has_twelve_weeks_of_history(demo: Demo) -> None:
    """Real runs, a week apart, then the two that were watched; it says so."""
    assert re.search(
        r"^Its last 12 weeks: as many runs, dated a week apart, in ",
        demo.output,
        re.MULTILINE,
    )
    days = run_query(demo.warehouse, "select day from reports.daily_growth order by as_of")
    told: list[Any] = days["day"].to_pylist()
    *weeks, first, second = told
    assert len(weeks) == 12
    assert {(later - day).days for day, later in pairwise(weeks)} == {7}
    assert (first - weeks[-1]).days == 8
    assert (second - first).days in {0, 1}


@in_a_browser
def test_the_runs_of_the_demo_are_listed(visit: Visit) -> None:
    """Both, and they succeeded."""
    page = visit.open("/runs")
    expect(page.get_by_text("Success", exact=True)).to_have_count(2)


@in_a_browser
def test_growth_shows_its_chart_first(visit: Visit) -> None:
    """Above its columns, whole, and without a click."""
    page = visit.open("/assets/reports/daily_growth")
    expect(page.get_by_text("Latest materialization")).to_be_visible()
    picture = page.get_by_role("img", name="daily_growth as a picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 670
    assert is_whole_on_screen(picture)
    expect(page.get_by_text("Show more")).to_have_count(0)
    expect(page.get_by_text("Never materialized")).to_have_count(0)


@in_a_browser
def test_nothing_is_never_materialized(visit: Visit) -> None:
    """Every asset of every group is green, and what is read has been seen."""
    page = visit.open("/asset-groups?expanded=global%40global%3Aswr")
    expect(page.get_by_text("tag_pages").first).to_be_visible()
    expect(page.get_by_text("Never materialized")).to_have_count(0)
    expect(page.get_by_text("Never observed")).to_have_count(0)


@in_a_browser
def test_checks_have_passed(visit: Visit) -> None:
    """Blocking ones say that they are."""
    page = visit.open("/assets/reports/registry_size?view=checks")
    expect(page.get_by_text("Succeeded", exact=True)).to_have_count(3)
    expect(page.get_by_text("This is a blocking asset check")).to_be_visible()


@in_a_browser
def test_one_report_is_launched_alone_by_one_click(visit: Visit) -> None:
    """Its run has one step, and publishes."""
    before = (visit.demo.warehouse / "warehouse.duckdb").stat().st_mtime_ns
    page = visit.open("/assets/reports/stale_tags")
    page.get_by_text("Materialize", exact=True).first.click()
    expect(page.get_by_text("Launched run")).to_be_visible()
    visit.open("/runs")
    expect(page.get_by_text("Success", exact=True)).to_have_count(3, timeout=120_000)
    assert (visit.demo.warehouse / "warehouse.duckdb").stat().st_mtime_ns > before
