"""Spark makes the same rows as DuckDB, and every check finds on it what it is there to find.

One Spark for the whole file; what takes longer is for `make soak`.
"""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from both_engines import differences, seen_by_runs
from damages import DAMAGES, SOUND
from described_registry import expand, warehouse
from random_registries import registry
from small_spark import MASTER, needs_spark, small_spark

from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.server import Emulator
from pipelines.engines.engine import DuckDBEngine, Engine
from pipelines.engines.lake import Lake
from pipelines.engines.spark import SparkEngine
from pipelines.errors import EngineError
from pipelines.run.clock import turned_to
from pipelines.run.crawl import crawl_registry
from pipelines.run.ingest import ingest, ingest_without_reports
from pipelines.run.load import load_landing
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.run.resolve import resolve
from pipelines.settings import read_settings
from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.checks import raise_if_blocked, run_checks
from pipelines.warehouse.reports import build_reports

pytestmark = needs_spark
COMMENTS = """
    select table_name, comment from duckdb_tables() where table_name = $1
    union all
    select column_name, comment from duckdb_columns()
    where schema_name = 'reports' and table_name = $1
    order by all
"""


@pytest.fixture(scope="module", autouse=True)
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Spark, for all tests of this file."""
    with small_spark(tmp_path_factory.mktemp("spark")):
        yield


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with nothing in it."""
    return Lake(str(tmp_path / "lake"))


def test_every_table_is_the_same_row_for_row(lake: Lake) -> None:
    """Of a random registry in which much goes wrong, after several runs."""
    with seen_by_runs(registry(Random(10), 40)) as con:
        assert [*differences(con, lake, MASTER)] == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30))
def test_every_table_of_many_registries_is_the_same(lake: Lake, seed: int) -> None:
    """Of thirty more, large and small."""
    random = Random(seed)
    with seen_by_runs(registry(random, random.randint(1, 120))) as con:
        assert [*differences(con, lake, MASTER)] == []


def test_a_run_of_the_demo_leaves_the_same_reports(tmp_path: Path, lake: Lake) -> None:
    """In rows, order, types and comments, also where rows of earlier runs are there already."""
    day = date(2026, 1, 1)
    registry_of_demo = built_in_registry(day)
    with Emulator(registry_of_demo) as site:
        settings = read_settings(
            endpoint_setting=site.url,
            auth_token="emulator-token",
            requests_per_second=0,
            pulls_per_second=0,
            read_configs=True,
            warehouse_dir=tmp_path / "duckdb",
        )
        for week in range(3):
            with turned_to(datetime.combine(day + timedelta(weeks=week), time(3), UTC)):
                ingest_without_reports(settings, request(f"week {week}"), NoProgress())
            for number in range(7):
                advance_a_day(registry_of_demo, day + timedelta(weeks=week, days=number))
        ingest(settings, request("first"), NoProgress())
        advance_a_day(registry_of_demo, day + timedelta(weeks=3))
        crawl_registry(settings, request("second"), NoProgress())
        load_landing(settings, "second")
        resolve(settings, "second", NoProgress())
    shutil.copytree(tmp_path / "duckdb", tmp_path / "spark")
    engines: dict[str, Engine] = {"duckdb": DuckDBEngine(), "spark": SparkEngine(lake, MASTER)}
    made = {name: reports_by(engine, tmp_path / name) for name, engine in engines.items()}
    assert [name for name in made["duckdb"] if made["duckdb"][name] != made["spark"][name]] == []
    [version] = lake.versions()
    assert version.run_id == "second"
    assert {f"reports.{name}" for name in report_names()} < version.tables.keys()


def request(run_id: str) -> RunRequest:
    """A run that reads all there is."""
    return RunRequest(run_id, full=False, scope=Scope())


def reports_by(engine: Engine, directory: Path) -> dict[str, tuple[pa.Table, list[Any], int]]:
    """Build and check what a run has loaded; each report, its comments, the rows that were told."""
    with connect_building(directory) as con:
        built = engine.build_reports(con)
        raise_if_blocked(engine.run_checks(con))
        return {
            report.name: (
                con.sql(f"from reports.{report.name}").to_arrow_table(),
                con.execute(COMMENTS, [report.name]).fetchall(),
                report.rows,
            )
            for report in built
        }


@pytest.fixture(scope="module")
def sound() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse that is in order, reports built."""
    with warehouse(expand(SOUND)) as con:
        build_reports(con)
        yield con


def test_a_sound_warehouse_passes_every_check(sound: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """No check finds anything where all is in order."""
    outcomes = SparkEngine(lake, MASTER).run_checks(sound)
    assert [outcome.name for outcome in outcomes] == sorted(DAMAGES)
    assert [outcome.name for outcome in outcomes if outcome.count] == []


@pytest.mark.parametrize("name", DAMAGES)
def test_a_check_finds_its_damage(sound: duckdb.DuckDBPyConnection, lake: Lake, name: str) -> None:
    """Each finds as many rows as it does on DuckDB, and shows at most ten of them."""
    sound.execute("begin")
    sound.execute(DAMAGES[name])
    [ours] = run_checks(sound, [name])
    [theirs] = SparkEngine(lake, MASTER).run_checks(sound, [name])
    sound.execute("rollback")
    assert theirs.count == ours.count > 0
    assert theirs.sample.num_rows == min(ours.count, 10)
    assert theirs.is_blocking == ours.is_blocking


def test_what_spark_cannot_do_is_a_sentence(lake: Lake) -> None:
    """It has Spark's own first line, and no plan."""
    told = r"^Spark could not do its part: \[TABLE_OR_VIEW_NOT_FOUND\].*tag_sizes.*$"
    with warehouse({}) as con, pytest.raises(EngineError, match=told) as raised:
        SparkEngine(lake, MASTER).run_checks(con, ["tag_sizes__parts_add_up"])
    assert "\n" not in str(raised.value)
