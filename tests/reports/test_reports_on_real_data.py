"""On real registries ledgers balance, and what a tag gives back is what goes when it goes."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import SHARED
from described_registry import in_a_copy
from duckdb import DuckDBPyConnection

from pipelines.emulator.catalogue import read_catalogues
from pipelines.emulator.server import Emulator
from pipelines.run.crawl import crawl_registry
from pipelines.run.load import load_landing
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.checks import raise_if_blocked, run_checks
from pipelines.warehouse.reports import build_reports

CATALOGUES = ("registry", "manifests")


@pytest.fixture(scope="module", params=CATALOGUES)
def con(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DuckDBPyConnection]:
    """A building file loaded from a catalogue through the emulator."""
    path = SHARED / "data" / f"{request.param}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the shared catalogue {request.param} is not beside this checkout")
    directory: Path = tmp_path_factory.mktemp(request.param)
    with Emulator(read_catalogues([path])) as server:
        settings = read_settings(
            endpoint_setting=server.url,
            auth_token="emulator-token",
            requests_per_second=0,
            warehouse_dir=directory,
        )
        crawl_registry(settings, RunRequest("run", full=False, scope=Scope()), NoProgress())
    load_landing(settings, "run")
    with connect_building(directory) as opened:
        build_reports(opened)
        yield opened


def test_every_check_passes(con: DuckDBPyConnection) -> None:
    """All ledgers balance; nothing is even warned of."""
    outcomes = run_checks(con)
    raise_if_blocked(outcomes)
    assert [outcome.name for outcome in outcomes if outcome.count] == []


def test_a_tag_gives_back_what_is_gone_when_it_goes(con: DuckDBPyConnection) -> None:
    """For a few tags drawn at random."""
    assert disagreements(con, 6) == []


@pytest.mark.soak
def test_two_hundred_tags_give_back_what_is_gone_when_they_go(con: DuckDBPyConnection) -> None:
    """For two hundred tags of each registry, drawn at random."""
    assert disagreements(con, 200) == []


def disagreements(con: DuckDBPyConnection, tags: int) -> list[tuple[object, ...]]:
    """Remove one row of `tags` at a time and rebuild; tell where the drop is not as promised."""
    build_reports(con)
    promised = con.execute(
        "select namespace, repository, tag, coalesce(reclaimable_bytes, 0)"
        " from reports.tag_sizes order by all"
    ).fetchall()
    before = deduplicated(con)
    wrong = []
    for *name, promise in random.Random(7).sample(promised, tags):
        with in_a_copy(con):
            con.execute("delete from tags where namespace = ? and repository = ? and tag = ?", name)
            build_reports(con)
            if before - deduplicated(con) != promise:
                wrong.append((*name, promise, before - deduplicated(con)))
    return wrong


def deduplicated(con: DuckDBPyConnection) -> int:
    """The registry's deduplicated bytes, as last built."""
    row = con.execute("select deduplicated_bytes from reports.registry_size").fetchone()
    assert row is not None
    found: int = row[0]
    return found


def test_building_twice_gives_identical_tables(con: DuckDBPyConnection) -> None:
    """Row by row, in the same order."""
    names = [report.name for report in build_reports(con)]
    first = {name: con.sql(f"from reports.{name}").to_arrow_table() for name in names}
    build_reports(con)
    second = {name: con.sql(f"from reports.{name}").to_arrow_table() for name in names}
    assert first == second
