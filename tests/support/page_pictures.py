"""Pictures of the page for the documents: the demo's registry, in a browser as readers have it.

    python tests/support/page_pictures.py FOLDER

Ten runs with a day of changes between them; as they really take a minute, growth is dated a week
apart before the page is written.
"""

import io
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from page_site import page_settings
from PIL import Image
from plain_run import run_steps
from playwright.sync_api import Browser
from served import browser

from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.page.html.writing import write_page

_DAY = date(2026, 11, 1)
_RUNS = 10
_COLOURS = 96
# As Chromium prints A4 on a screen.
_PAPER = {"width": 794, "height": 1123}
_LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 1360}},
    "dark": {"viewport": {"width": 1280, "height": 1360}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 1360}},
    "print": {"viewport": _PAPER},
}
_APART = """
update reports.{table} as growth
set
    as_of = growth.as_of - 7 * later * interval 1 day,
    day = cast(growth.as_of - 7 * later * interval 1 day as date)
from (
    select run_id, cast(row_number() over (order by as_of desc) - 1 as integer) as later
    from ingest.runs
) as runs
where growth.run_id = runs.run_id
"""


def main(folder: Path) -> None:
    """Make the page and take its pictures."""
    with tempfile.TemporaryDirectory() as directory, browser() as chromium:
        page = _page(Path(directory))
        for name, look in _LOOKS.items():
            _keep(chromium, page, folder / f"page_{name}.png", look)


def _page(directory: Path) -> Path:
    registry = built_in_registry(_DAY)
    price = {"price_per_gb_month": "0.024", "currency": "EUR", "resolve": "auto"}
    with page_settings(directory, registry, write_page=False, **price) as settings:
        for number in range(_RUNS):
            run_steps(settings)
            advance_a_day(registry, _DAY + timedelta(days=number))
    with duckdb.connect(str(directory / "warehouse.duckdb")) as con:
        for table in ("daily_growth", "namespace_growth"):
            con.execute(_APART.format(table=table))
    write_page(directory, directory / "page.html")
    return directory / "page.html"


def _keep(chromium: Browser, file: Path, target: Path, look: dict[str, Any]) -> None:
    with chromium.new_context(**look) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        page.locator("#costs svg").wait_for()
        if target.stem.endswith("print"):
            page.emulate_media(media="print")
        small(page.screenshot()).save(target, optimize=True)


def small(picture: bytes) -> Image.Image:
    """A picture of few colours, which is a third as long."""
    return Image.open(io.BytesIO(picture)).convert("RGB").quantize(_COLOURS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
