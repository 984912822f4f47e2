"""Pictures for the documents of the pages of Dagster's on which people land, after the demo.

python tests/support/dagster_pictures.py FOLDER
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from page_pictures import small
from playwright.sync_api import Page, ViewportSize, expect
from served import browser
from shown_demo import shown_demo

_SCREEN = ViewportSize(width=1440, height=900)
_TALL = ViewportSize(width=1440, height=1240)
_SETTLED_MS = 4000
_GROUPS = "global%40global%3Aswr%2Cglobal%40global%3Areports"


def _lineage(page: Page, address: str) -> None:
    page.goto(f"{address}/asset-groups")


def _reports(page: Page, address: str) -> None:
    page.set_viewport_size(_TALL)
    page.goto(f"{address}/asset-groups?expanded={_GROUPS}")


def _growth(page: Page, address: str) -> None:
    page.goto(f"{address}/assets/reports/daily_growth")
    page.get_by_role("img", name="daily_growth as a picture").wait_for()


def _checks(page: Page, address: str) -> None:
    page.goto(f"{address}/assets/reports/registry_size?view=checks")


def _run(page: Page, address: str) -> None:
    """The lines that steps write, without the events between them."""
    page.goto(f"{address}/runs")
    page.get_by_role("link", name="View", exact=True).first.click()
    page.get_by_text("Levels (5/6)").click()
    page.get_by_role("menuitem").filter(has_text="event").click()
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)


_PAGES: Mapping[str, Callable[[Page, str], None]] = {
    "lineage": _lineage,
    "reports": _reports,
    "growth": _growth,
    "checks": _checks,
    "run": _run,
}


def main(folder: Path) -> None:
    """Run the demo, open its pages, take their pictures."""
    with (
        tempfile.TemporaryDirectory() as directory,
        shown_demo(Path(directory)) as demo,
        browser() as chromium,
    ):
        page = chromium.new_page()
        for name, look in _PAGES.items():
            page.set_viewport_size(_SCREEN)
            look(page, demo.address)
            page.wait_for_timeout(_SETTLED_MS)
            expect(page.get_by_text("fetching statuses")).to_have_count(0)
            small(page.screenshot()).save(folder / f"dagster_{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
