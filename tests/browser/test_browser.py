"""What people see and do in Dagster's pages, in a real browser against the real servers.

One story on one pair of servers: a first run, then one from the pages while a repository refuses
to be read, then one namespace alone once it can be read again.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest
from checkout import ROOT
from ingest_site import Site, small_registry
from playwright.sync_api import Locator, Page, ViewportSize, expect
from playwright.sync_api import Response as PageResponse
from served import CHROMIUM, browser, served

from assets.definitions import defs
from pipelines.emulator.messages import Request, Response, gateway_error
from pipelines.emulator.server import Emulator

pytestmark = pytest.mark.skipif(
    not CHROMIUM,
    reason="no chromium on the path: what the browser tests prove is NOT proven here "
    "(apt-get install chromium)",
)
PICTURES = ROOT / "build" / "screenshots"
WIDE = ViewportSize(width=1440, height=900)
# Dagster draws only the part of the graph that is in view.
ALL_OF_THE_GRAPH = ViewportSize(width=5200, height=9_000)
RUN_SECONDS = 120
# Nodes as name and box, edges as the points they begin and end at, in the drawing's units.
NODES = """nodes => nodes.map(node => ({
    names: [...node.querySelectorAll('[data-tooltip]')].map(label => label.dataset.tooltip),
    box: ['x', 'y', 'width', 'height'].map(side => Number(node.getAttribute(side)))
}))"""
EDGES = "edges => edges.map(edge => edge.getAttribute('d'))"


# Links, pictures and addresses, as a registry might write them into an error.
HOSTILE = (
    "[x](http://evil.example/1) ![y](http://evil.example/2) <img src=//evil.example/3 onerror=x>"
    " <http://evil.example/4> https://evil.example/5 www.evil.example me@evil.example `|` \u202e"
)


@dataclass
class Story:
    """The registry and its warehouse, and a page of the browser."""

    site: Site
    page: Page
    address: str

    def open(self, path: str) -> Page:
        """Go to a page of Dagster's."""
        self.page.set_viewport_size(WIDE)
        self.page.goto(self.address + path)
        return self.page

    def keep(self, name: str) -> None:
        """Keep a picture of what is seen."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A first run of everything; then data/spark refuses, and Dagster's servers start."""
    directory = tmp_path_factory.mktemp("browser")
    home = directory / "home"
    home.mkdir()
    shutil.copyfile(ROOT / "assets" / "dagster.yaml", home / "dagster.yaml")
    with Emulator(small_registry()) as server:
        site = Site(server, directory / "warehouse", {"SWR_WRITE_PAGE": "true"})
        with dg.DagsterInstance.from_config(str(home)) as instance:
            site.ingest_on(instance)
        server.fault = refuse_spark
        settings = {name: os.environ[name] for name in os.environ if name.startswith("SWR_")}
        with served(home, settings) as address, browser() as chromium:
            page = chromium.new_page()
            page.set_default_timeout(30_000)
            expect.set_options(timeout=30_000)
            yield Story(site, page, address)


def refuse_spark(request: Request) -> Response | None:
    """Forbid the tags of one repository."""
    if "/spark/" in request.path:
        return gateway_error(403, "SVCSTG.SWR.4030170", HOSTILE)
    return None


@pytest.fixture(scope="module")
def materialized(story: Story) -> Story:
    """Everything materialized from the page of the job, data/spark refusing."""
    page = story.open("/locations/swr_warehouse/jobs/ingest")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Launch backfill").click()
    expect(page.get_by_text("Created backfill")).to_be_visible()
    page.goto(story.address + "/locations/swr_warehouse/jobs/ingest/runs")
    # Lists the runs begun here, not the first one, which the command line's way began.
    expect(statuses(page, "Success")).to_have_count(1, timeout=RUN_SECONDS * 1000)
    return story


def is_launch(response: PageResponse) -> bool:
    """Whether the page was told that its run has been launched."""
    return '"operationName":"Launch' in (response.request.post_data or "")


def statuses(page: Page, status: str) -> Locator:
    """Runs of a status in a list of runs."""
    return page.get_by_text(status, exact=True)


def test_the_lineage_page_shows_every_asset_and_every_edge(story: Story) -> None:
    """What the code defines and what is drawn are equal, node by node and edge by edge."""
    graph = defs.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    defined = {
        (parent.path[-1], key.path[-1]) for key in keys for parent in graph.get(key).parent_keys
    }
    names = {key.path[-1] for key in keys}
    assert len(names) == len(keys)

    page = story.open("/asset-groups")
    expect(page.get_by_text("Materialize all")).to_be_visible()
    page.locator("foreignObject").first.wait_for()
    story.keep("lineage_groups")
    page.set_viewport_size(ALL_OF_THE_GRAPH)
    page.keyboard.press("Alt+KeyE")
    node = "foreignObject:has([data-tooltip])"
    expect(page.locator(node, has_text="published").first).to_be_visible()
    expect(page.locator("svg path[marker-end]")).to_have_count(len(defined))
    boxes = {
        name: shape["box"]
        for shape in page.locator(node).evaluate_all(NODES)
        for name in shape["names"]
        if name in names
    }
    assert set(boxes) == names
    drawn = {ends(path, boxes) for path in page.locator("svg path[marker-end]").evaluate_all(EDGES)}
    assert drawn == defined


def ends(path: str, boxes: dict[str, list[float]]) -> tuple[str, str]:
    """The assets that a line of the drawing joins: it leaves one's right and reaches another."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    (begin_x, begin_y), (end_x, end_y) = numbers[:2], numbers[-2:]
    begin = [name for name, box in boxes.items() if touches(begin_x, begin_y, box[0] + box[2], box)]
    end = [name for name, box in boxes.items() if touches(end_x, end_y, box[0], box)]
    assert len(begin) == len(end) == 1, path
    return begin[0], end[0]


def touches(x: float, y: float, side: float, box: list[float]) -> bool:
    """Whether a point lies at a vertical side of a box, up to the room left for an arrow."""
    return abs(x - side) <= 10 and box[1] <= y <= box[1] + box[3]


def test_a_run_launched_from_the_page_publishes(materialized: Story) -> None:
    """Materializing all ends in success; what was refused is left as it was."""
    materialized.keep("runs")
    runs = materialized.site.query("select status from ingest.runs order by as_of")
    assert runs == [{"status": "complete"}, {"status": "partial"}]
    assert materialized.site.query("select count(*) as n from tags") == [{"n": 62}]


def test_a_check_that_fails_is_shown_failing(materialized: Story) -> None:
    """It warns, says of what, and the warehouse is published all the same."""
    check = "daily_growth__complete_share_holds"
    page = materialized.open(f"/assets/reports/daily_growth?view=checks&checkDetail={check}")
    expect(page.get_by_text("This is a non-blocking asset check")).to_be_visible()
    # In the list of checks, and in what is told of this one.
    expect(page.get_by_text("Failed", exact=True)).to_have_count(2)
    expect(page.get_by_text("proved a smaller share of its repositories")).to_be_visible()
    materialized.keep("check_failing")


def test_a_report_shows_its_chart(materialized: Story) -> None:
    """Drawn for whoever looks, from what is published; another report has none."""
    page = materialized.open("/assets/reports/namespace_sizes")
    expect(page.get_by_text("Latest materialization")).to_be_visible()
    picture = page.get_by_role("img", name="namespace_sizes as a picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 670
    materialized.keep("report_chart")
    assert page.request.get(f"{materialized.address}/pictures/namespace_sizes.png").ok
    assert page.request.get(f"{materialized.address}/pictures/tag_sizes.png").status == 404


def test_what_is_published_leads_to_the_page(materialized: Story) -> None:
    """A link to what the run left, which shows its figures there as it does from its file."""
    page = materialized.open("/assets/warehouse/published")
    link = page.get_by_role("link", name="/warehouse.html").first
    expect(link).to_be_visible()
    page.goto(f"{materialized.address}{link.get_attribute('href')}")
    expect(page.locator("#sizes svg")).to_be_visible()
    materialized.keep("page_beside_dagster")


def test_nothing_of_what_a_registry_wrote_is_live(materialized: Story) -> None:
    """No link, no picture, no element: an error is shown as the text it is."""
    page = materialized.open("/assets/swr/tag_pages?view=events")
    page.get_by_text("data", exact=True).first.click()
    expect(page.get_by_text("repositories_failed")).to_be_visible()
    page.get_by_text("Show Markdown").first.click()
    expect(page.get_by_text("[x](http://evil.example/1)").last).to_be_visible()
    materialized.keep("hostile_error")
    for part in ("a[href*=evil]", "img[src*=evil]", "[onerror]"):
        assert page.locator(part).count() == 0, part


def test_one_namespace_is_run_again_alone(materialized: Story) -> None:
    """From the partitions of the job; only its repositories are asked for."""
    story = materialized
    story.site.server.fault = None
    page = story.open("/assets/swr/tag_pages?view=partitions")
    page.get_by_text("data", exact=True).first.click()
    expect(page.get_by_text("repositories_failed")).to_be_visible()
    story.keep("partitions")
    page = story.open("/locations/swr_warehouse/jobs/ingest")
    story.site.server.log.clear()
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_text("Select a partition or create one").click()
    page.get_by_role("menuitem").filter(has_text="data").click()
    # Closes the list of partitions.
    page.get_by_text("Launch runs to materialize").click()
    expect(page.get_by_role("button", name="Launch 1 run")).to_be_visible()
    story.keep("one_namespace")
    with page.expect_response(is_launch):
        page.get_by_role("button", name="Launch 1 run").click()
    page.goto(story.address + "/locations/swr_warehouse/jobs/ingest/runs")
    expect(statuses(page, "Success")).to_have_count(2, timeout=RUN_SECONDS * 1000)
    assert list(story.site.tags_requests()) == ["/v2/manage/namespaces/data/repos/spark/tags"]
