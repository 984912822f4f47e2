"""The page in a real browser: what it shows, how it is used, and what it never does."""

import csv
import io
import json
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from ingest_site import AT, manifest
from page_site import HOSTILE_REPOSITORY, HOSTILE_TAGS, MARKUP, ingest_twice, page_settings
from plain_run import run_steps
from playwright.sync_api import Browser, Page, expect
from served import CHROMIUM, browser

from pipelines.emulator.registry import Registry
from pipelines.page.html.writing import write_page
from pipelines.warehouse.query import run_query

pytestmark = pytest.mark.skipif(
    not CHROMIUM,
    reason="no chromium on the path: what the browser tests prove is NOT proven here "
    "(apt-get install chromium)",
)
PICTURES = ROOT / "build" / "screenshots"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
# Before any script of the page: what the policy refuses is told nowhere else.
LISTEN = """
window.refused = [];
document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => {
    refused.push(violatedDirective);
});
"""


@dataclass
class Opened:
    """The page in a browser, and everything it asked for or complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def opened(self, name: str) -> None:
        """Go by the keyboard to the part of the picture of this name, and open it."""
        part = self.page.locator(f'.chart > button[aria-label^="Open {name},"]')
        expect(part).to_have_count(1)
        part.focus()
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#path [aria-current]")).to_have_text(name)

    def rows(self, section: str) -> list[dict[str, str]]:
        """What the first table of a section copies."""
        self.page.locator(f"#{section} .figures").first.get_by_text("Copy as CSV").click()
        self.page.locator(f"#{section} .figures").first.get_by_text("Copied").wait_for()
        copied = self.page.evaluate("navigator.clipboard.readText()")
        return list(csv.DictReader(io.StringIO(copied, newline="")))

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"page_{name}.png", full_page=True)


@dataclass
class Site:
    """A published warehouse with its page."""

    directory: Path
    chromium: Browser

    @property
    def file(self) -> Path:
        """The page that the last run left."""
        return self.directory / "warehouse.html"

    @contextmanager
    def open(self, **options: Any) -> Iterator[Opened]:
        """Open the page from its file; it must ask for nothing else and complain of nothing."""
        context = self.chromium.new_context(
            permissions=["clipboard-read", "clipboard-write"], **options
        )
        context.add_init_script(LISTEN)
        opened = Opened(context.new_page())
        opened.page.on("request", lambda request: opened.asked.append(request.url))
        opened.page.on("console", lambda message: opened.complaints.append(message.text))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        address = self.file.as_uri()
        opened.page.goto(address)
        expect(opened.page.locator("#costs svg")).to_be_visible()
        yield opened
        assert [url for url in opened.asked if not url.startswith("data:")] == [address]
        assert (opened.complaints, opened.page.evaluate("refused")) == ([], [])
        context.close()

    def asked(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the published warehouse."""
        return run_query(self.directory, sql).to_pylist()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two runs over the registry of `page_site`, each of which leaves the page."""
    directory = tmp_path_factory.mktemp("page") / "warehouse"
    ingest_twice(directory)
    with browser() as chromium:
        yield Site(directory, chromium)


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "4k": {"viewport": {"width": 3840, "height": 2160}},
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(site: Site, look: str) -> None:
    """With a part and a query opened."""
    with site.open(**LOOKS[look]) as opened:
        opened.keep(look)
        page = opened.page
        page.evaluate(AXE)
        opened.opened("shop")
        page.get_by_text("The query").first.click()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds: the rule and the elements."""
    found = page.evaluate("axe.run()")["violations"]
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]


def test_it_prints_dark_on_white_without_what_only_a_screen_needs(site: Site) -> None:
    """Also for whoever looks at it in the dark."""
    with site.open(color_scheme="dark", viewport={"width": 760, "height": 1000}) as opened:
        page = opened.page
        assert page.pdf(format="A4").startswith(b"%PDF")
        page.emulate_media(media="print")
        style = "getComputedStyle(document.body)"
        colours = page.evaluate(f"[{style}.backgroundColor, {style}.color]")
        assert colours == ["rgb(255, 255, 255)", "rgb(22, 32, 43)"]
        assert page.get_by_text("Copy as CSV").first.is_hidden()
        opened.keep("print")


def test_its_policy_lets_nothing_in_but_its_own_scripts_and_styles() -> None:
    """By their hashes: no code made of strings, no connection, no frame, no form."""
    template = (files("pipelines.page.html") / "template.html").read_text("utf-8")
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', template)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": "$script_hashes",
        "style-src": "$style_hash",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_it_is_for_its_owner_only_and_the_same_each_time(site: Site, tmp_path: Path) -> None:
    """Beside the warehouse, with the warehouse's mode; small."""
    write_page(site.directory, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == site.file.read_bytes()
    assert stat.S_IMODE(site.file.stat().st_mode) == 0o600
    assert site.file.stat().st_size < 1_500_000


def test_names_are_text_wherever_they_are(site: Site) -> None:
    """No element comes of one, no script runs, none hides or turns round what stands beside it."""
    with site.open() as opened:
        opened.opened("shop")
        opened.opened(HOSTILE_REPOSITORY)
        page = opened.page
        for part in ("img", "b", "[onerror]"):
            assert page.locator(part).count() == 0, part
        shown = page.locator("#sizes tbody tr td:first-child").all_inner_texts()
        tags = {re.sub("\u202e", r"\\u{202e}", tag) for tag in HOSTILE_TAGS}
        tags = {tag.replace("\u2028", r"\u{2028}") for tag in tags}
        assert set(shown) == tags | {"shared by several of these"}
        assert MARKUP[:10] in (page.locator("#sizes svg").first.text_content() or "")
        assert page.evaluate("document.scripts.length") == 4


def test_a_copied_table_is_read_as_it_is(site: Site) -> None:
    """Every row and basis, a formula as text, quotes and commas within their cells."""
    with site.open() as opened:
        opened.opened("shop")
        opened.opened(HOSTILE_REPOSITORY)
        rows = [row for row in opened.rows("sizes") if row["tag"]]
        assert {row["tag"].replace("'=", "=") for row in rows} == set(HOSTILE_TAGS)
        assert "'=HYPERLINK(1)" in {row["tag"] for row in rows}
        assert {row["exclusive_bytes"] for row in rows} == {"2000000"}
        assert {row["size_basis"] for row in rows} == {"exact"}


def test_parts_and_what_they_share_add_up_to_the_whole(site: Site) -> None:
    """At each level, to the byte, as the reports have it."""
    [registry] = site.asked("from reports.registry_size")
    [shop] = site.asked("from reports.namespace_sizes where namespace = 'shop'")
    [cart] = site.asked("from reports.repository_sizes where repository = 'cart'")
    all_bytes = registry["deduplicated_bytes"]
    with site.open() as opened:
        assert added(opened) == {"exclusive": all_bytes, "allocated": all_bytes}
        opened.opened("shop")
        assert added(opened) == both(shop)
        opened.opened("cart")
        assert added(opened) == both(cart)


def added(opened: Opened) -> dict[str, int]:
    """The sums of two columns of the table of sizes."""
    rows = opened.rows("sizes")
    return {
        name: sum(int(row[f"{name}_bytes"] or 0) for row in rows)
        for name in ("exclusive", "allocated")
    }


def both(row: dict[str, Any]) -> dict[str, int]:
    """What a report says of a whole."""
    return {name: row[f"{name}_bytes"] for name in ("exclusive", "allocated")}


def test_everything_works_by_keyboard(site: Site) -> None:
    """Into a part, another measure, out again; the focus is seen."""
    with site.open() as opened:
        page = opened.page
        for _ in range(30):
            page.keyboard.press("Tab")
            label = page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
            if label.startswith("Open shop,"):
                break
        style = "getComputedStyle(document.activeElement)"
        assert page.evaluate(f"{style}.outlineStyle") == "solid"
        page.keyboard.press("Enter")
        expect(page.locator("#path [aria-current]")).to_have_text("shop")
        expect(page.locator("#path [aria-current]")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        expect(page.locator("[value=exclusive]")).to_be_checked()
        expect(page.locator("#parts")).to_contain_text("exclusive in 2 repositories")
        page.keyboard.press("Escape")
        expect(page.locator("#parts")).to_contain_text("exclusive in 3 namespaces")


def test_a_click_on_a_part_of_the_picture_opens_it(site: Site) -> None:
    """What has parts of its own opens; its name leads back."""
    with site.open() as opened:
        page = opened.page
        page.locator("#sizes svg text", has_text="spark").first.wait_for()
        page.locator("#sizes svg text", has_text="spark").first.click(force=True)
        expect(page.locator("#path [aria-current]")).to_have_text("spark")
        page.locator("#path").get_by_text("all namespaces").click()
        expect(page.locator("#parts")).to_contain_text("in 3 namespaces")


def test_a_table_is_sorted_and_searched(site: Site) -> None:
    """By any column, either way; the whole stays at the end."""
    with site.open() as opened:
        opened.opened("shop")
        opened.opened("cart")
        page = opened.page
        first = page.locator("#sizes tbody tr:first-child td:first-child")
        expect(first).to_have_text("v0")
        page.locator("#sizes th").get_by_text("name").click()
        expect(first).to_have_text("v0")
        page.locator("#sizes th").get_by_text("name").click()
        expect(first).to_have_text("v9")
        page.locator("#sizes").get_by_label("Search").fill("V1")
        # v1 is gone, v10 to v19 are there.
        expect(page.locator("#sizes tbody tr")).to_have_count(10)


def test_what_is_not_exact_says_so(site: Site) -> None:
    """At the top with its cause, at each figure by a sign, and one by one with what to do."""
    with site.open() as opened:
        page = opened.page
        expect(page.locator("#exactness")).to_have_text(
            "Exact: 29 of 30 sizes of tags, 0 of what deleting one would give back."
            " Not all, because of: 1 unread child."
        )
        expect(page.locator("#totals")).to_contain_text("≥")
        [gap] = opened.rows("gaps")
        assert (gap["kind"], gap["affected_tag_count"]) == ("unread_child", "1")


def test_sections_say_what_the_reports_say(site: Site) -> None:
    """Growth, orphaned bytes, ages and costs, worked out by hand."""
    with site.open() as opened:
        growth = {(row["as_of"], row["namespace"]): row for row in opened.rows("growth")}
        assert len({moment for moment, _ in growth}) == 2
        latest = max(moment for moment, _ in growth)
        # One job of 3,000,000 went.
        assert growth[latest, "data"]["change_bytes"] == "-3000000"
        orphaned = {row["change"]: row["orphaned_bytes"] for row in opened.rows("orphaned")}
        assert orphaned == {"moved": "1000000", "deleted": str(1_000_001 + 3_000_000)}
        ages = opened.rows("ages")
        assert sum(int(row["tag_count"]) for row in ages if row["clock"] == "created") == 30
        costs = [row["monthly_cost"] for row in opened.rows("costs")]
        [total] = site.asked(
            "select sum(monthly_cost) as cost from reports.costs where repository is null"
        )
        assert sum(map(float, costs)) == pytest.approx(float(total["cost"]))


def test_a_registry_without_tags_has_a_page(tmp_path: Path, site: Site) -> None:
    """With figures of nothing, and no complaint."""
    registry = Registry()
    registry.push("shop", "cart", "v1", manifest(("base", 1)), at=AT)
    registry.delete_tag("shop", "cart", "v1")
    price = {"price_per_gb_month": "1.00", "currency": "EUR"}
    with page_settings(tmp_path, registry, **price) as settings:
        run_steps(settings)
    with Site(tmp_path, site.chromium).open() as opened:
        expect(opened.page.locator("#totals")).to_contain_text("0 bytes")
        expect(opened.page.locator("#parts")).to_have_text("0 bytes deduplicated in 1 namespace.")


def test_each_figure_has_the_query_it_came_from(site: Site) -> None:
    """Which runs as it stands, and gives its rows."""
    with site.open() as opened:
        data = json.loads(opened.page.locator("#data").text_content() or "")
        *shown, _licenses = opened.page.locator("details pre").all_text_contents()
        assert sorted(shown) == sorted(answer["sql"] for answer in data["answers"].values())
        for answer in data["answers"].values():
            rows = next(iter(answer["columns"].values()))
            count = len(rows["rows"] if isinstance(rows, dict) else rows)
            assert len(site.asked(answer["sql"])) == count
