"""Runs that go on where others failed, and runs that died: on a real instance."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from checkout import ROOT
from dead_runs import LONG_AGO, redate
from ingest_site import AT, PlainSite, Site, manifest, small_registry

from assets.definitions import defs
from assets.partitions import NAMESPACES
from assets.run_launcher import DIRECTORY_TAG, WatchedRunLauncher
from pipelines.emulator.server import Emulator
from pipelines.errors import WarehouseError
from pipelines.run.progress import NoProgress
from pipelines.warehouse.building import (
    connect_building,
    is_being_written,
    start_building,
    writer_lock,
)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance with the project's own dagster.yaml."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copyfile(ROOT / "assets" / "dagster.yaml", home / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def ingest() -> dg.JobDefinition:
    """The job, as Dagster finds it again for a re-execution."""
    return defs.resolve_job_def("ingest")


def fail_to_load(site: Site, instance: dg.DagsterInstance) -> str:
    """A run that read and could not load, as where the disk misbehaves; give its id."""
    obstacle = site.directory / ".building.duckdb.tmp"

    class Obstruct(NoProgress):
        def start(self, repositories: int, tags: int, keep: Callable[[], None]) -> None:
            del repositories, tags, keep
            obstacle.symlink_to(site.directory.parent, target_is_directory=True)

    site.progress = Obstruct()
    with pytest.raises(WarehouseError, match="cannot be written"):
        site.ingest_on(instance)
    site.progress = NoProgress()
    obstacle.unlink()
    (run,) = instance.get_runs()
    return run.run_id


def re_execute_from_failure(instance: dg.DagsterInstance, run_id: str) -> dg.JobExecutionResult:
    """What the button of that name does."""
    return dg.execute_job(
        dg.reconstructable(ingest),
        instance=instance,
        reexecution_options=dg.ReexecutionOptions.from_failure(run_id, instance),
    )


def test_from_failure_loads_what_the_failed_run_read(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Nothing is fetched again; the warehouse names the run that read."""
    with Emulator(small_registry()) as server:
        site = Site(server, tmp_path / "warehouse")
        failed = fail_to_load(site, instance)
        server.log.clear()
        with re_execute_from_failure(instance, failed) as result:
            assert result.success
        assert server.log == []
        assert site.query("select run_id from ingest.runs") == [{"run_id": failed}]
        assert site.query("select count(*) as n from tags") == [{"n": 62}]


def test_from_failure_is_refused_once_another_run_has_begun(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """It took up what was read; a sentence says what to do, and nothing is published twice."""
    with Emulator(small_registry()) as server:
        site = Site(server, tmp_path / "warehouse")
        failed = fail_to_load(site, instance)
        site.ingest_on(instance)
        before = (site.directory / "warehouse.duckdb").read_bytes()
        with re_execute_from_failure(instance, failed) as result:
            assert not result.success
            (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = str(failure.step_failure_data.error)
    assert "is to load is no longer there: launch the job `ingest` again" in told
    assert (site.directory / "warehouse.duckdb").read_bytes() == before


def materialize(
    instance: dg.DagsterInstance, *keys: list[str], partition: str | None = None
) -> dg.ExecuteInProcessResult:
    """A run of some assets alone, as the page of all assets launches them one after the other."""
    return ingest().execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(key) for key in keys],
        partition_key=partition,
        raise_on_error=False,
    )


def test_a_run_loads_what_another_run_read_and_nobody_published(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Reading, and all the rest, in two runs; a third has nothing to load and says so."""
    rest = [list(key.path) for key in ingest().asset_layer.executable_asset_keys]
    rest.remove(["swr", "tag_pages"])
    with Emulator(small_registry()) as server:
        site = PlainSite(server, tmp_path / "warehouse")
        site.ingest()
        server.registry.push("shop", "cart", "new", manifest(("new", 7)), at=AT + timedelta(days=9))
        instance.add_dynamic_partitions(NAMESPACES.name or "", ["data", "shop"])
        read = materialize(instance, ["swr", "tag_pages"], partition="shop")
        assert read.success
        assert materialize(instance, *rest).success
        assert site.query("select run_id from ingest.runs order by as_of desc limit 1") == [
            {"run_id": read.run_id}
        ]
        assert site.query("select count(*) as n from tags") == [{"n": 63}]
        again = materialize(instance, *rest)
        (failure,) = [event for event in again.all_events if event.is_step_failure]
    assert "is to load is no longer there" in str(failure.step_failure_data.error)


def test_what_fails_a_check_is_not_loaded_again(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """What was built of it goes at once; neither a run of the rest nor a whole one takes it up."""
    rest = [list(key.path) for key in ingest().asset_layer.executable_asset_keys]
    rest.remove(["swr", "tag_pages"])
    with Emulator(small_registry()) as server:
        site = PlainSite(server, tmp_path / "warehouse")
        site.ingest()
        server.registry.push("shop", "cart", "new", manifest(("new", 7)), at=AT + timedelta(days=9))
        read = materialize(instance, ["swr", "tag_pages"])
        redate(site.directory / "landing" / read.run_id, LONG_AGO)
        for reason in ("tag_history__intervals_run_forward", "is no longer there"):
            failed = materialize(instance, *rest)
            (failure,) = [event for event in failed.all_events if event.is_step_failure]
            assert reason in str(failure.step_failure_data.error)
            assert list(site.directory.glob(".building*")) == []
        site.ingest_on(instance)
        assert len(site.tags_requests()) == 3
        assert site.query("select count(*) as n from tags") == [{"n": 63}]


def test_nothing_is_published_unaudited(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Chosen alone, publishing runs the blocking checks itself."""
    with Emulator(small_registry()) as server:
        site = PlainSite(server, tmp_path / "warehouse")
        site.ingest()
        before = (site.directory / "warehouse.duckdb").read_bytes()
        start_building(site.directory)
        with connect_building(site.directory) as con:
            con.execute("delete from reports.registry_size")
        result = materialize(instance, ["warehouse", "published"])
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        assert "registry_size__exactly_one_row" in str(failure.step_failure_data.error)
        assert (site.directory / "warehouse.duckdb").read_bytes() == before


def test_dagster_waits_retries_and_watches(instance: dg.DagsterInstance) -> None:
    """One run at a time; what died is tried again, what failed by itself is not."""
    config = instance.get_concurrency_config()
    assert config.run_queue_config is not None
    assert config.run_queue_config.max_concurrent_runs == 1
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 2
    assert not instance.run_retries_retry_on_asset_or_op_failure
    assert instance.run_monitoring_enabled
    assert isinstance(instance.run_launcher, WatchedRunLauncher)


HOLD = """
import sys
from pathlib import Path
from pipelines.warehouse.building import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_of_the_command_line_is_alive_while_it_writes(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Killed, it counts as failed, and does not keep the schedule waiting for ever."""
    directory = tmp_path / "warehouse"
    run = instance.create_run_for_job(ingest(), tags={DIRECTORY_TAG: str(directory)})
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    assert launcher.check_run_worker_health(run).status.value == "RUNNING"
    started = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
    instance.report_dagster_event(started, run.run_id, timestamp=1.0)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert launcher.check_run_worker_health(run).status.value == "RUNNING"
    holder.kill()
    holder.communicate()
    assert launcher.check_run_worker_health(run).status.value == "FAILED"


def test_whether_a_directory_is_being_written_is_told_without_touching_it(tmp_path: Path) -> None:
    """Also where there is none yet."""
    directory = tmp_path / "warehouse"
    assert not is_being_written(directory)
    assert not directory.exists()
    with writer_lock(directory):
        assert is_being_written(directory)
    assert not is_being_written(directory)
    with writer_lock(directory):
        pass
