"""Several registries on the command line and in Dagster: a run for each, told apart by name."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from sensed_namespaces import PARTITIONS, look
from two_registries import Two, two_registries

from assets.cli.main import main
from assets.definitions import defs
from assets.defs.schedules import CLEARING, DAILY
from assets.resources import WarehouseResource
from pipelines.emulator.faults import failing
from pipelines.run.progress import NoProgress
from pipelines.warehouse.query import run_query

TAG = "swr_warehouse/registry"
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@pytest.fixture
def two(tmp_path: Path, dagster_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Two registries of equal names."""
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    monkeypatch.setenv("COLUMNS", "100")
    with two_registries(tmp_path) as two:
        yield two


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance with files of its own."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def run(*arguments: str) -> Result:
    """Run a command; no exception may escape but the one that carries the exit code."""
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def test_ingest_reads_each_and_report_shows_each(two: Two) -> None:
    """One that fails is said, and the others are published; all failing is nothing published."""
    two.south.faults = (failing(403),)
    first = run("ingest")
    assert first.exit_code == 1
    assert first.output.index("north:") < first.output.index("south:")
    assert "Repositories: 3 complete." in first.output
    assert "status 403" in first.output
    two.south.faults = ()
    one = run("ingest", "--registry", "south")
    assert (one.exit_code, "Repositories: 2 complete." in one.output) == (0, True)
    shown = run("report").output
    lines = [line.split()[0] for line in shown.splitlines() if line.startswith(("north", "south"))]
    assert lines == ["north", "south"]
    assert "2 blobs are held in several of them: 1.1 kB beyond one copy of each" in shown
    assert "report --registry north\n" in shown
    assert "2 of 2 repositories complete" in run("report", "--registry", "south").output
    refused = run("plan", "--max-tags", "1")
    assert (refused.exit_code, refused.output) == (
        2,
        "Error: There are several registries: choose one with --registry (north, south).\n",
    )
    assert run("plan", "--max-tags", "1", "--registry", "south").exit_code == 0
    two.north.faults = two.south.faults = (failing(401),)
    assert run("ingest").exit_code == 2


def test_doctor_examines_each(two: Two) -> None:
    """Its exit code tells of all."""
    two.north.faults = (failing(401),)
    examined = run("doctor")
    assert examined.exit_code == 2
    assert "north:\n" in examined.output
    assert "ok  accepted     the credentials are valid" in examined.output
    assert run("doctor", "--registry", "south").exit_code == 0


def tick(
    schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance
) -> str | list[dict[str, str]]:
    """What a schedule answers: why it skips, or the registry of each run."""
    answer = schedule.evaluate_tick(dg.build_schedule_context(instance=instance))
    return answer.skip_message or [
        {TAG: request.tags[TAG]} for request in answer.run_requests or []
    ]


def test_schedules_start_a_run_for_each(two: Two, instance: dg.DagsterInstance) -> None:
    """But not for one whose last run is still going."""
    del two
    both = [{TAG: "north"}, {TAG: "south"}]
    assert tick(DAILY, instance) == tick(CLEARING, instance) == both
    going = dg.DagsterRunStatus.STARTED
    instance.add_run(
        dg.DagsterRun(job_name="ingest", run_id="r1", status=going, tags={TAG: "north"})
    )
    assert tick(DAILY, instance) == [{TAG: "south"}]
    instance.add_run(
        dg.DagsterRun(job_name="ingest", run_id="r2", status=going, tags={TAG: "south"})
    )
    assert tick(DAILY, instance) == (
        "The run r1 has not ended yet (started): the next tick starts one."
        " The run r2 has not ended yet (started): the next tick starts one."
    )


def test_namespaces_are_partitions_behind_their_registry(
    two: Two, instance: dg.DagsterInstance
) -> None:
    """Those of before there were several go; a registry that cannot be listed keeps its own."""
    instance.add_dynamic_partitions(PARTITIONS, ["shop", "gone/data"])

    assert (
        look(instance)
        == "north: Added north/data, north/shop. south: Added south/crew, south/shop."
    )
    every = {"north/data", "north/shop", "south/crew", "south/shop"}
    assert set(instance.get_dynamic_partitions(PARTITIONS)) == every
    two.north.faults = (failing(503),)
    assert look(instance).startswith("north: The namespaces could not be listed.")
    assert set(instance.get_dynamic_partitions(PARTITIONS)) == every


def launch(instance: dg.DagsterInstance, **asked: object) -> dg.ExecuteInProcessResult:
    """Run the job as Dagster's pages do."""
    return defs.resolve_job_def("ingest").execute_in_process(
        instance=instance,
        resources={"warehouse": WarehouseResource(), "progress": NoProgress()},
        raise_on_error=False,
        **asked,  # type: ignore[arg-type] # of several kinds
    )


def test_a_run_reads_the_registry_of_its_tag_or_its_partition(
    two: Two, instance: dg.DagsterInstance
) -> None:
    """Of several partitions too, as long as they are of one."""
    assert launch(instance, tags={TAG: "south"}).success
    assert set(instance.get_dynamic_partitions(PARTITIONS)) == {"south/crew", "south/shop"}
    key = dg.AssetKey(["swr", "tag_pages"])
    assert instance.get_materialized_partitions(key) == {"south/crew", "south/shop"}
    two.south.log.clear()
    assert launch(instance, partition_key="south/crew").success
    assert launch(
        instance, tags=dict(zip(RANGE, ["south/crew", "south/shop"], strict=True))
    ).success
    paths = [entry.path for entry in two.south.log if entry.path.endswith("/tags")]
    assert sorted(paths) == [
        f"/v2/manage/namespaces/{name}/tags"
        for name in ("crew/repos/tool", "crew/repos/tool", "shop/repos/cart")
    ]
    assert not two.north.log
    published = run_query(two.directory, "select registry, tag_count from reports.registry_size")
    assert published.to_pylist() == [{"registry": "south", "tag_count": 2}]


def test_a_run_that_names_no_registry_or_several_says_so(
    two: Two, instance: dg.DagsterInstance
) -> None:
    """In one sentence of ours, and nothing is read."""
    instance.add_dynamic_partitions(PARTITIONS, ["north/data", "south/shop"])
    none = launch(instance)
    several = launch(instance, tags=dict(zip(RANGE, ["north/data", "south/shop"], strict=True)))
    told = [
        str(event.event_specific_data)
        for result in (none, several)
        for event in result.all_events
        if event.is_failure
    ]
    assert (
        "There are several registries: give the run the tag swr_warehouse/registry with one of"
        " north, south, or choose partitions of one."
    ) in told[0]
    assert "A run reads one registry: choose the partitions of one alone." in " ".join(told[1:])
    assert not two.north.log
    assert not two.south.log
