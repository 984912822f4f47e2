"""What the terminal's report says: what grew, what the rest holds, how much is exact."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ingest_site import AT, manifest
from plain_run import run_steps

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.page.overview import how_exact, overview
from pipelines.settings import read_settings

REGISTRY = {
    "tag_count": 2110,
    "exact_size_tag_count": 2063,
    "exact_reclaimable_tag_count": 0,
}


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ([], "Exact: every figure."),
        (
            [("rejected_record", 1)],
            "Exact: 2,063/2,110 sizes, 0 reclaimable; 1 rejected records",
        ),
        (
            [("unread_child", 1050), ("size_unknown", 31), ("list_contradicted", 1)],
            "Exact: 2,063/2,110 sizes, 0 reclaimable; 1,050 unread manifests, 31 unsized blobs",
        ),
    ],
)
def test_one_line_says_how_much_is_exact_and_the_two_largest_causes(
    causes: list[tuple[str, int]], expected: str
) -> None:
    """Each cause with its count, in the order given."""
    rows = [{"kind": kind, "gap_count": count} for kind, count in causes]
    assert how_exact(REGISTRY, rows) == expected


@pytest.fixture
def server() -> Iterator[Emulator]:
    """The same base of 500 bytes and configuration of 100 in two repositories."""
    registry = Registry()
    registry.push("shop", "cart", "1", manifest(("base", 500)), at=AT)
    registry.push("shop", "pay", "1", manifest(("base", 500)), at=AT)
    with Emulator(registry) as server:
        yield server


def test_what_grew_is_told_since_the_first_run(
    server: Emulator, site_settings: Callable[[str], Path]
) -> None:
    """In the first everything is new. Then both get a tag, of 300 and 50 bytes; one loses one.

    Each holds half of what both use: 300 bytes.
    """
    directory = site_settings(server.url)
    run_steps(read_settings())
    first = overview(directory)
    assert first.grown == []
    server.registry.push("shop", "cart", "2", manifest(("base", 500), ("cart", 300)), at=AT)
    server.registry.push("shop", "pay", "2", manifest(("base", 500), ("pay", 50)), at=AT)
    server.registry.delete_tag("shop", "pay", "1")
    run_steps(read_settings())
    found = overview(directory, top=1, order="growth")
    grown = ("repository", "allocated_bytes", "growth_bytes", "new_tag_count", "gone_tag_count")
    assert [tuple(row[name] for name in grown) for row in found.grown] == [
        ("cart", 600, 300, 1, 0),
        ("pay", 350, 50, 1, 1),
    ]
    assert found.whole["grown_since"] == first.whole["as_of"]
    assert [row["repository"] for row in found.repositories] == ["cart"]
    assert found.rest == {
        "repository_count": 1,
        "tag_count": 1,
        "allocated_bytes": 350,
        "allocated_basis": "exact",
        "growth_bytes": 50,
        "growth_basis": "exact",
        "monthly_cost": None,
    }
    assert found.whole["deduplicated_bytes"] == 600 + 350
