"""Each publication writes its figures for a collector of metrics."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from checkout import ROOT
from ingest_site import AT, manifest
from plain_run import run_steps
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.page.metrics import metrics_text
from pipelines.run.progress import NoProgress
from pipelines.settings import read_settings

Samples = dict[tuple[str, ...], float]


class Notices(NoProgress):
    """Keeps what a person is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


def two_namespaces() -> Registry:
    """The same base of 500 bytes in two namespaces, a configuration of 100, and 300 in one."""
    registry = Registry()
    registry.push("shop", "cart", "1", manifest(("base", 500), ("cart", 300)), at=AT)
    registry.push("shop", "cart", "2", manifest(("base", 500)), at=AT)
    registry.push("data", "spark", "1", manifest(("base", 500)), at=AT)
    return registry


@pytest.fixture
def server() -> Iterator[Emulator]:
    """The registry of two namespaces."""
    with Emulator(two_namespaces()) as server:
        yield server


@pytest.fixture
def directory(server: Emulator, site_settings: Callable[[str], Path]) -> Path:
    """Where its warehouse is to be."""
    site_settings(server.url)
    return read_settings().warehouse_dir


def samples(text: str) -> Samples:
    """Each sample by its metric and its labels' values in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in openmetrics_parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call] # untyped there
        for sample in family.samples
    }


def test_each_publication_writes_its_figures(directory: Path) -> None:
    """Base and configuration are half of each namespace: 300 bytes, and 300 of one alone."""
    price = Decimal("107374.1824")
    run_steps(read_settings(price_per_gb_month=price, currency="EUR"))
    text = (directory / "warehouse.prom").read_text()
    found = samples(text)
    host = "localhost"
    assert found["swr_tags", host] == 3
    assert found["swr_deduplicated_bytes", host] == 900
    assert found["swr_exact_reclaimable_tags", host] == 3
    assert found["swr_namespace_allocated_bytes", "data", host] == 300
    assert found["swr_namespace_allocated_bytes", "shop", host] == 600
    assert found["swr_repository_exclusive_bytes", "shop", host, "cart"] == 300
    # 2^30 bytes for 107,374.1824: a byte for 0.0001.
    assert found["swr_namespace_monthly_cost", "EUR", "shop", host] == 0.06
    assert found["swr_stale_tags", host] == 3
    assert found["swr_stale_reclaimable_bytes", host] == 900
    assert found["swr_run_failed_repositories", host] == 0
    assert [name for name, *_ in found if name == "swr_gaps"] == []


def test_a_collector_of_the_older_format_reads_the_same(directory: Path) -> None:
    """The textfile collector of the node exporter knows no OpenMetrics."""
    run_steps(read_settings())
    text = (directory / "warehouse.prom").read_text()
    older = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert older == samples(text)


def test_the_file_may_stand_where_a_collector_looks(directory: Path, tmp_path: Path) -> None:
    """SWR_METRICS_FILE; there only."""
    target = tmp_path / "textfile" / "swr.prom"
    target.parent.mkdir()
    run_steps(read_settings(metrics_setting=target))
    assert target.read_bytes() == metrics_text(directory)
    assert not (directory / "warehouse.prom").exists()


def test_published_is_published_without_metrics(directory: Path, tmp_path: Path) -> None:
    """One sentence says that they could not be written."""
    target = tmp_path / "nowhere" / "swr.prom"
    progress = Notices()
    run_steps(read_settings(metrics_setting=target), progress=progress)
    [text] = progress.texts
    assert text == (
        f"Published, but without metrics. The result cannot be written to {target} as metrics:"
        " No such file or directory"
    )
    assert (directory / "warehouse.duckdb").exists()


def test_the_dashboard_asks_for_metrics_that_there_are(directory: Path) -> None:
    """Every name in its expressions is one of the file."""
    run_steps(read_settings())
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\bswr_\w+", target["expr"])
    }
    written = set(
        re.findall(r"^# TYPE (\w+)", (directory / "warehouse.prom").read_text(), re.MULTILINE)
    )
    assert asked
    assert asked - written == set()
