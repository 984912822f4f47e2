"""Whatever a registry does, nothing is lost, invented or called complete that is not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import rare_faults
from chaos import Chronicle, live_through
from ingest_site import AT, at_site, manifest
from rare_faults import ALL_FAULTS

from pipelines.emulator.registry import Registry

FEW, PARTS, SEEDS = range(5000, 5006), range(20), 250


@pytest.mark.parametrize("seed", FEW)
def test_a_few_seeds(tmp_path: Path, seed: int) -> None:
    """Several ingests of a random registry under random faults, at last one without."""
    assert live_through(seed, tmp_path).problems == []


@pytest.mark.soak
@pytest.mark.parametrize("part", PARTS)
def test_five_thousand_seeds(
    tmp_path: Path, part: int, record_property: Callable[[str, object], None]
) -> None:
    """Two hundred and fifty each: every fault of the table is drawn, and strikes."""
    chronicle = Chronicle()
    for seed in range(part * SEEDS, (part + 1) * SEEDS):
        chronicle.add(live_through(seed, tmp_path))
    record_property("printed", chronicle.table())
    assert chronicle.problems == []
    assert [name for name in ALL_FAULTS if not chronicle.strikes[name]] == []


def test_a_total_that_promises_too_much_is_said(tmp_path: Path) -> None:
    """The repository is read to its end, and the registry itself says that this is not all."""
    registry = Registry()
    for number in range(50):
        registry.push("shop", "cart", f"v{number}", manifest((f"app{number}", 1)), at=AT)
    with at_site(tmp_path, registry, faults=[rare_faults.total_too_high]) as site:
        site.settings["SWR_PAGE_SIZE"] = "20"
        assert site.ingest() == "partial"
        assert site.query("select count(*) as n from tags") == [{"n": 50}]
        crawl = "select status, expected, received from ingest.crawls"
        assert site.query(crawl) == [{"status": "incomplete", "expected": 51, "received": 50}]
