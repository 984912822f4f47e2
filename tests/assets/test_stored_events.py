"""What a run leaves in Dagster's own files, with the project's own dagster.yaml."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from checkout import ROOT
from dagster._core.storage.event_log import SqliteEventLogStorage
from ingest_site import Site, small_registry

from assets.definitions import defs
from assets.event_log import LeanEventLog
from pipelines.emulator.server import Emulator

HISTORY = Path("history") / "runs"
_ELSE = 27


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Dagster home as the project makes it."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copyfile(ROOT / "assets" / "dagster.yaml", home / "dagster.yaml")
    return home


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A small registry beside an empty warehouse."""
    with Emulator(small_registry()) as server:
        yield Site(server, tmp_path / "warehouse")


def stored(path: Path) -> int:
    """The events in one of Dagster's files."""
    with closing(sqlite3.connect(path)) as con:
        [(count,)] = con.execute("select count(*) from event_logs").fetchall()
    return int(count)


def test_a_run_stores_two_events_an_asset_two_a_check_and_few_more(home: Path, site: Site) -> None:
    """What is planned and what became of it; where, when and how it ran; a line for each step."""
    graph = defs.resolve_asset_graph()
    assets, checks = graph.executable_asset_keys, graph.asset_check_keys
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for _ in range(2):
            site.ingest_on(instance)
        runs = instance.get_run_ids()
        for run_id in runs:
            of_type = [event.dagster_event_type for event in instance.all_logs(run_id)]
            for kind, count in (
                (dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, len(assets)),
                (dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, len(checks)),
                (dg.DagsterEventType.ASSET_CHECK_EVALUATION, len(checks)),
                (dg.DagsterEventType.STEP_SUCCESS, 7),
                (dg.DagsterEventType.RUN_SUCCESS, 1),
            ):
                assert of_type.count(kind) == count, kind
    bound = 2 * len(assets) + 2 * len(checks) + _ELSE
    assert all(stored(home / HISTORY / f"{run_id}.db") <= bound for run_id in runs)
    assert len(runs) == 2


def test_dagsters_own_storage_goes_on_with_what_ours_wrote(home: Path, site: Site) -> None:
    """Same files, same tables, same version; and ours with what that wrote."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert isinstance(instance.event_log_storage, LeanEventLog)
        site.ingest_on(instance)
        version = instance.event_log_storage.alembic_version()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert instance.event_log_storage.alembic_version() == version
        site.ingest_on(instance)
    shutil.copyfile(ROOT / "assets" / "dagster.yaml", home / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        ends = [
            instance.all_logs(run, dg.DagsterEventType.RUN_SUCCESS)
            for run in instance.get_run_ids()
        ]
        assert list(map(len, ends)) == [1, 1]
        key = dg.AssetKey(["reports", "tag_sizes"])
        assert len(instance.fetch_materializations(key, limit=10).records) == 2
    tables = [schema(file) for file in (home / HISTORY).glob("*.db")]
    assert len(tables) == 3
    assert tables[0] == tables[1] == tables[2]


def schema(path: Path) -> list[str]:
    """The statements that make a file's tables and indices, and its version."""
    with closing(sqlite3.connect(path)) as con:
        made = con.execute("select sql from sqlite_master where sql is not null order by sql")
        version = con.execute("select version_num from alembic_version")
        return [text for (text,) in [*made.fetchall(), *version.fetchall()]]
