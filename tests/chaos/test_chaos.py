"""Whatever a registry does, nothing is lost, invented or called complete that is not."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
import rare_faults
from chaos import Chronicle, live_through
from ingest_site import AT, at_site, manifest
from rare_faults import ALL_FAULTS

from pipelines.emulator.registry import Registry

FEW, MANY = range(5000, 5006), range(5000)


def summed(parts: Iterable[Chronicle]) -> Chronicle:
    """All seeds together."""
    chronicle = Chronicle()
    for part in parts:
        chronicle.add(part)
    return chronicle


@pytest.mark.parametrize("seed", FEW)
def test_a_few_seeds(tmp_path: Path, seed: int) -> None:
    """Several ingests of a random registry under random faults, at last one without."""
    assert live_through(seed, tmp_path).problems == []


@pytest.mark.soak
def test_five_thousand_seeds(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Every fault of the table is drawn, and strikes."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        chronicle = summed(pool.map(partial(live_through, directory=tmp_path), MANY))
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
