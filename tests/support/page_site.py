"""A registry for the page: shared and unread parts, changes, a price, and names that are markup."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from ingest_site import AT, manifest
from plain_run import run_steps
from pullable import index

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.run.progress import Progress
from pipelines.settings import Settings, read_settings

MARKUP = "<img src=x onerror=alert(1)>"
HOSTILE_TAGS = (
    MARKUP,
    "</script><script>alert(2)</script>",
    "=HYPERLINK(1)",
    'quote",comma',
    "\u202egnp",
    "${x}\u2028",
)
HOSTILE_REPOSITORY = "<b>bold</b>"
DAY = timedelta(days=1)


def page_registry() -> Registry:
    """Three namespaces that share a base; one index whose child nobody can read."""
    registry = Registry()
    for number in range(20):
        text = manifest(("base", 4_000_000), (f"cart{number}", 1_000_000 + number))
        registry.push("shop", "cart", f"v{number}", text, at=AT - number * 20 * DAY)
    for number, tag in enumerate(HOSTILE_TAGS):
        text = manifest(("base", 4_000_000), (f"hostile{number}", 2_000_000))
        registry.push("shop", HOSTILE_REPOSITORY, tag, text, at=AT - 40 * DAY)
    for number in range(3):
        text = manifest(("spark", 9_000_000), (f"job{number}", 3_000_000))
        registry.push("data", "spark", f"{number}", text, at=AT - 200 * DAY)
    registry.push("data", "tools", "1", manifest(("base", 4_000_000)), at=AT - 300 * DAY)
    unread = index(manifest(("nobody", 1)))
    registry.push("platform", "gateway", "multi", unread, at=AT - DAY)
    registry.push("platform", "gateway", "1", manifest(("gateway", 5_000_000)), at=AT - DAY)
    return registry


def change(registry: Registry) -> None:
    """One tag moves, two go; what they held is orphaned."""
    registry.push("shop", "cart", "v0", manifest(("base", 4_000_000), ("new", 7_000_000)), at=AT)
    registry.delete_tag("shop", "cart", "v1")
    registry.delete_tag("data", "spark", "0")


@contextmanager
def page_settings(directory: Path, registry: Registry, **other: object) -> Iterator[Settings]:
    """Settings of runs that read this registry into a directory and write the page."""
    with Emulator(registry) as server:
        yield read_settings(
            endpoint_setting=server.url,
            auth_token="emulator-token",
            requests_per_second=0,
            warehouse_dir=directory,
            **{"resolve": "off", "write_page": True, **other},
        )


def ingest_twice(directory: Path, progress: Progress | None = None) -> None:
    """Read the registry, let it change, read it again."""
    registry = page_registry()
    price = {"price_per_gb_month": "1.00", "currency": "EUR"}
    with page_settings(directory, registry, **price) as settings:
        run_steps(settings, progress=progress)
        change(registry)
        run_steps(settings, progress=progress)
