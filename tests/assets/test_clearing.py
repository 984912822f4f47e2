"""What goes when it is old, and that no number of a report goes with it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from ingest_site import (
    AT,
    PlainSite,
    Site,
    at_plain_site,
    manifest,
    own_environment,
    small_registry,
)

from assets.definitions import defs
from assets.resources import WarehouseResource
from pipelines.run.clear_up import Cleared, clear_up
from pipelines.settings import read_settings
from pipelines.warehouse.build_plan import report_names

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainSite]:
    """A registry with a record that cannot be read, ingested three times, changing in between."""
    registry = small_registry()
    registry.push("shop", "cart", "odd", manifest(("odd", 1)), at=AT)
    odd = registry.tags("shop", "cart")[0].wire | {"Tag": "bad", "tag": "bad", "updated": "never"}
    registry.add_record(odd | {"id": 99_999})
    with at_plain_site(tmp_path_factory.mktemp("ingested"), registry) as site:
        with own_environment():
            site.ingest(full=True)
            registry.push("data", "spark", "2", manifest(("two", 7)), at=AT + DAY)
            registry.delete_tag("shop", "cart", "v5")
            site.ingest(full=True)
            site.ingest(full=True)
        yield site


@pytest.fixture
def site(ingested: PlainSite, tmp_path: Path) -> Site:
    """The same with a warehouse of its own, a copy: much of it goes."""
    directory = shutil.copytree(ingested.directory, tmp_path / "warehouse", symlinks=True)
    copy = Site(ingested.server, directory)
    copy.set_environment()
    return copy


def reports(site: Site) -> dict[str, pa.Table]:
    """Every report as published."""
    return {name: site.table(f"from reports.{name} order by all") for name in report_names()}


def runs(site: Site) -> list[str]:
    """The published runs, oldest first."""
    return [row["run_id"] for row in site.query("select run_id from ingest.runs order by as_of")]


def folders(site: Site) -> set[str]:
    """The landing folders there are."""
    return {path.name for path in (site.directory / "landing").iterdir()}


def test_nothing_goes_before_its_time(site: Site) -> None:
    """And nothing is published anew for it."""
    before = (site.directory / "warehouse.duckdb").stat()
    assert clear_up(read_settings(), datetime.now(UTC) + 29 * DAY) == Cleared([], [])
    assert (site.directory / "warehouse.duckdb").stat() == before
    assert folders(site) == set(runs(site))


def test_landing_folders_go_first_and_texts_of_rejected_records_later(site: Site) -> None:
    """Every report stays as it was, the latest run's findings included."""
    before = reports(site)
    first, second, last = runs(site)
    assert clear_up(read_settings(), datetime.now(UTC) + 31 * DAY) == Cleared(
        sorted([first, second, last]), []
    )
    assert folders(site) == set()
    rejected = "select run_id from ingest.rejected_records order by all"
    assert len(site.query(rejected)) == 3
    cleared = clear_up(read_settings(), datetime.now(UTC) + 366 * DAY)
    assert cleared == Cleared([], sorted([first, second]))
    assert site.query(rejected) == [{"run_id": last}]
    assert reports(site) == before
    assert site.ingest() == "complete"


def test_what_a_dead_run_left_is_left_to_the_next_run(site: Site) -> None:
    """It may take it up."""
    (site.directory / "landing" / "dead").mkdir()
    clear_up(read_settings(), datetime.now(UTC) + 31 * DAY)
    assert folders(site) == {"dead"}


def test_a_published_folder_that_is_damaged_goes_too(site: Site) -> None:
    """Nobody will read it again."""
    first = runs(site)[0]
    (site.directory / "landing" / first / "run.json").write_text("{")
    assert clear_up(read_settings(), datetime.now(UTC)).landing_folders == [first]


def test_the_job_clears_dagster_too(site: Site, tmp_path: Path) -> None:
    """Runs that ended before SWR_KEEP_HISTORY_DAYS go; others stay. Without a warehouse as well."""
    shutil.rmtree(site.directory)
    instance = dg.DagsterInstance.local_temp(str(tmp_path))
    old = datetime.now(UTC) - 366 * DAY
    for name, status in (("done", "SUCCESS"), ("going", "STARTED")):
        run = dg.DagsterRun(job_name="ingest", run_id=name, status=dg.DagsterRunStatus(status))
        instance.run_storage.add_historical_run(run, run_creation_time=old)
    result = defs.resolve_job_def("clear_up").execute_in_process(
        instance=instance, resources={"warehouse": WarehouseResource()}
    )
    assert result.success
    assert {run.run_id for run in instance.get_runs()} == {"going", result.run_id}
