"""What Dagster is told: the graph, its checks and its schedule, and how a run of a part behaves."""

import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import requests
from checkout import ROOT
from ingest_site import AT, Site, at_read_site, manifest, own_environment, small_registry

from assets.definitions import defs
from assets.defs.checks import check_reports, check_tables
from assets.defs.reports import build
from assets.defs.warehouse import load, publish
from assets.partitions import NAMESPACES
from assets.resources import WarehouseResource
from pipelines.emulator.messages import Response
from pipelines.emulator.server import Emulator
from pipelines.errors import CheckFailed, WarehouseMissing
from pipelines.run.progress import NoProgress
from pipelines.warehouse.build_plan import report_inputs, report_names
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.checks import check_names

GROUPS = {"swr", "warehouse", "reports"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A small registry beside an empty warehouse."""
    with Emulator(small_registry()) as server:
        yield Site(server, tmp_path / "warehouse")


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of the small registry, which a test has a copy of."""
    with at_read_site(tmp_path_factory.mktemp("read"), small_registry()) as site:
        return site.directory


@pytest.fixture
def ingested(site: Site, read_once: Path) -> Site:
    """The same after a first run, for what is not about how that one went."""
    shutil.copytree(read_once, site.directory)
    site.set_environment()
    return site


@pytest.fixture(scope="module")
def first_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Site, dg.DagsterInstance]]:
    """A first run of everything and the instance that it was recorded on, to be looked at."""
    directory = tmp_path_factory.mktemp("first") / "warehouse"
    with Emulator(small_registry()) as server, dg.DagsterInstance.ephemeral() as instance:
        site = Site(server, directory)
        with own_environment():
            site.ingest_on(instance)
        yield site, instance


@pytest.mark.parametrize(
    ("setting", "owners"),
    [
        ({}, ()),
        ({"SWR_OWNERS": ""}, ()),
        (
            {"SWR_OWNERS": "team:platform, first.last+swr@example.com"},
            ("team:platform", "first.last+swr@example.com"),
        ),
    ],
)
def test_definitions_load_in_an_environment_of_nothing_but_owners(
    setting: dict[str, str], owners: tuple[str, ...]
) -> None:
    """Those of every asset, nobody without them; other settings are read when a run starts."""
    code = """
from assets.definitions import defs
defs.resolve_job_def("ingest")
graph = defs.resolve_asset_graph()
print({tuple(graph.get(key).owners) for key in graph.get_all_asset_keys()})"""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **setting},
        check=True,
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == str({owners})


def test_every_report_and_every_check_is_in_the_graph() -> None:
    """Path, table and asset key are one."""
    graph = defs.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {f"reports/{name}" for name in report_names()} <= keys
    declared = {key.name for key in graph.asset_check_keys}
    others = {"tables__other_checks", "reports__other_checks"}
    assert others <= declared
    named = [graph.get(key).description for key in graph.asset_check_keys if key.name in others]
    rows = {name for text in named for name in re.findall(r"\w+__\w+", text or "")}
    assert rows | declared - others == set(check_names())
    assert rows & declared == set()


def test_few_checks_are_declared() -> None:
    """Each costs two events a run."""
    assert len(defs.resolve_asset_graph().asset_check_keys) <= 12


def test_everything_flows_from_the_registry_to_the_published_warehouse() -> None:
    """No asset hangs loose."""
    graph = defs.resolve_asset_graph()
    published_key = dg.AssetKey(["warehouse", "published"])
    upstream = graph.get_ancestor_asset_keys(published_key)
    assert upstream == graph.get_all_asset_keys() - {published_key}
    roots = {key for key in upstream if not graph.get(key).parent_keys}
    assert roots == {dg.AssetKey(["swr", "registry"])}


def test_every_asset_says_what_it_is_and_belongs_to_a_group() -> None:
    """Grain first; with the flow's three groups."""
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.group_name in GROUPS, key


def drawn_edges(opened: str | None) -> set[tuple[str, str]]:
    """What Dagster draws where one group is opened, or none: each pair joined once."""
    graph = defs.resolve_asset_graph()

    def shown(key: dg.AssetKey) -> str:
        group = graph.get(key).group_name
        return key.to_user_string() if group == opened else group

    keys = graph.get_all_asset_keys()
    pairs = {(shown(parent), shown(key)) for key in keys for parent in graph.get(key).parent_keys}
    return {(start, end) for start, end in pairs if start != end}


def test_few_edges_are_drawn() -> None:
    """One between two groups; less than two for each asset, however many a report reads."""
    assert drawn_edges(None) == {("swr", "warehouse"), ("warehouse", "reports")}
    graph = defs.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    assert sum(len(graph.get(key).parent_keys) for key in keys) < 2 * len(keys)


def test_everything_that_reports_read_leads_to_them() -> None:
    """Through the intermediate tables and other reports: no edge that is left out is lost."""
    graph = defs.resolve_asset_graph()
    for name in report_names():
        ancestors = graph.get_ancestor_asset_keys(dg.AssetKey(["reports", name]))
        read = {dg.AssetKey(key.split(".")) for key in report_inputs(name)}
        assert read <= ancestors, name


def test_a_run_without_a_key_records_every_namespace(
    first_run: tuple[Site, dg.DagsterInstance],
) -> None:
    """Each with its own numbers."""
    site, instance = first_run
    assert set(instance.get_dynamic_partitions(NAMESPACES.name or "")) == {"data", "shop"}
    key = dg.AssetKey(["swr", "tag_pages"])
    assert instance.get_materialized_partitions(key) == {"data", "shop"}
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(key, asset_partitions=["shop"]), limit=10
    ).records
    (materialization,) = [record.asset_materialization for record in records]
    assert materialization is not None
    told = {name: value.value for name, value in materialization.metadata.items()}
    assert told == {
        "repositories_complete": 2,
        "repositories_unchanged": 0,
        "repositories_incomplete": 0,
        "repositories_failed": 0,
        "repositories_missing": 0,
        "requests": 2,
        "retries": 0,
        "throttled_seconds": 0.0,
        "pages": 2,
        "bytes": sum(first_page_bytes(site, name) for name in ("cart", "deep$er$app")),
        "tags": 61,
    }


def first_page_bytes(site: Site, repository: str) -> int:
    """How long the emulator's answer is, asked by somebody else."""
    answer = requests.get(
        f"{site.server.url}/v2/manage/namespaces/shop/repos/{repository}/tags",
        params={"offset": "0", "limit": "1000", "order_column": "updated_at", "order_type": "desc"},
        headers={"X-Auth-Token": "emulator-token"},
        timeout=10,
    )
    return len(answer.content)


def test_one_namespace_can_be_run_alone(ingested: Site) -> None:
    """By its partition key, as the UI does."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(NAMESPACES.name or "", ["data", "shop"])
        result = defs.resolve_job_def("ingest").execute_in_process(
            instance=instance,
            partition_key="shop",
            resources={"warehouse": WarehouseResource(), "progress": NoProgress()},
        )
        assert result.success
        assert len(ingested.tags_requests()) == 2
        assert ingested.query("select count(*) as n from tags") == [{"n": 62}]


def test_several_namespaces_run_together_are_told_apart(ingested: Site) -> None:
    """As a backfill in one run does: each has its own numbers, and none the total for its own."""
    ingested.server.registry.push("late", "one", "1", manifest(("late", 1)), at=AT)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(NAMESPACES.name or "", ["data", "late", "shop"])
        key = dg.AssetKey(["swr", "tag_pages"])
        defs.resolve_job_def("ingest").execute_in_process(
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": "data",
                "dagster/asset_partition_range_end": "late",
            },
            resources={"warehouse": WarehouseResource(), "progress": NoProgress()},
        )
        (record,) = instance.fetch_materializations(
            dg.AssetRecordsFilter(key, asset_partitions=["data"]), limit=1
        ).records
    assert record.asset_materialization is not None
    told = record.asset_materialization.metadata
    counted = ("repositories_complete", "repositories_unchanged", "requests", "tags")
    assert [told[name].value for name in counted] == [0, 1, 1, 1]
    assert len(ingested.tags_requests()) == 2


def test_a_namespace_that_could_not_be_read_is_observed_and_not_materialized(site: Site) -> None:
    """With what could not be read, and why, for it and for the run."""
    site.server.fault = lambda request: (
        Response(500, {}, b"") if request.path.endswith("/spark/tags") else None
    )
    with dg.DagsterInstance.ephemeral() as instance:
        site.ingest_on(instance)
        key = dg.AssetKey(["swr", "tag_pages"])
        assert instance.get_materialized_partitions(key) == {"shop"}
        (observed,) = instance.fetch_observations(
            dg.AssetRecordsFilter(key, asset_partitions=["data"]), limit=10
        ).records
        observation = observed.asset_observation
        assert observation is not None
        counted = ("repositories_failed", "requests", "retries", "tags")
        assert [observation.metadata[name].value for name in counted] == [1, 7, 6, 0]
        told = str(observation.metadata["not_read"].value).splitlines()[2:]
        assert len(told) == 1
        assert [cell.strip() for cell in told[0].split("|")[1:4]] == ["data", "spark", "failed"]
        assert "status 500" in told[0]


def failing_rows(failed: Mapping[str, Mapping[str, dg.MetadataValue]]) -> list[str]:
    """The checks that a result of several names as failed, each with a sample of its rows."""
    rows = [
        [cell.strip().replace("\\", "") for cell in line.strip("|").split("|")]
        for metadata in failed.values()
        if "checks" in metadata
        for line in str(metadata["checks"].value).splitlines()
    ]
    names = [name for name, verdict, *_ in rows if verdict == "failed"]
    sampled = {name for metadata in failed.values() for name in metadata}
    assert {f"sample of {name}" for name in names} <= sampled
    return names


def after_the_load() -> dg.JobDefinition:
    """The end of the job: checks and publishing, on whatever the building file holds."""
    checks = dg.AssetSelection.checks(check_tables, check_reports)
    selection = dg.AssetSelection.assets(publish) | checks
    job = dg.define_asset_job("end", selection, executor_def=dg.in_process_executor)
    return dg.Definitions(
        assets=[load, build, publish],
        asset_checks=[check_tables, check_reports],
        jobs=[job],
        resources={"warehouse": WarehouseResource(), "progress": NoProgress()},
    ).resolve_job_def("end")


def build_broken(site: Site, breakage: str) -> None:
    """Leave a building file in which something is wrong."""
    start_building(site.directory)
    with connect_building(site.directory) as con:
        con.execute(breakage)


@pytest.mark.parametrize(
    ("breakage", "check"),
    [
        ("delete from manifests where manifest_kind = 'image'", "tags__manifest_exists"),
        ("delete from reports.registry_size", "registry_size__exactly_one_row"),
        ("update ingest.layer_prefixes set size_bytes = -1", "layer_prefixes__no_negative_bytes"),
        ("update reports.tag_events set orphaned_bytes = -1", "tag_events__no_negative_bytes"),
    ],
)
def test_a_blocking_check_stops_publishing(ingested: Site, breakage: str, check: str) -> None:
    """The published file stays as it was, and what was built goes at once."""
    with dg.DagsterInstance.ephemeral() as instance:
        before = (ingested.directory / "warehouse.duckdb").read_bytes()
        build_broken(ingested, breakage)
        result = after_the_load().execute_in_process(instance=instance, raise_on_error=False)
        failed = {
            evaluation.check_name: evaluation.metadata
            for evaluation in result.get_asset_check_evaluations()
            if not evaluation.passed
        }
        assert check in failed or check in failing_rows(failed)
        assert not result.success
        assert list(ingested.directory.glob(".building*")) == []
        build_broken(ingested, breakage)
        with pytest.raises(CheckFailed, match=check):
            after_the_load().execute_in_process(instance=instance)
        assert result.get_asset_materialization_events() == []
        assert (ingested.directory / "warehouse.duckdb").read_bytes() == before


def alone(*names: str) -> dg.JobDefinition:
    """A run of some reports and whatever checks them, as the page of a report launches it."""
    keys = [["reports", name] for name in names]
    selection = dg.AssetSelection.assets(*keys) | dg.AssetSelection.checks_for_assets(*keys)
    job = dg.define_asset_job("alone", selection, executor_def=dg.in_process_executor)
    return dg.Definitions(
        assets=[load, build, publish],
        asset_checks=[check_tables, check_reports],
        jobs=[job],
        resources={"warehouse": WarehouseResource(), "progress": NoProgress()},
    ).resolve_job_def("alone")


def test_one_report_is_built_alone_and_published(ingested: Site) -> None:
    """With its own checks; every other table is as it was, appended rows too."""
    with dg.DagsterInstance.ephemeral() as instance:
        growth = ingested.query("from reports.daily_growth")
        spoil(ingested, "update reports.tag_ages set updated_age_days = 7_777")
        spoil(ingested, "update reports.base_images set repository_count = 7_777")
        result = alone("tag_ages", "daily_growth").execute_in_process(
            instance=instance,
            asset_selection=[
                dg.AssetKey(["reports", "tag_ages"]),
                dg.AssetKey(["reports", "daily_growth"]),
            ],
        )
    materialized = {
        event.asset_key.path[-1]
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    checked = {evaluation.check_name for evaluation in result.get_asset_check_evaluations()}
    assert materialized == {"tag_ages", "daily_growth"}
    assert checked == {"daily_growth__complete_share_holds", "daily_growth__is_usual"}
    spoilt = "select count(*) as n from reports.{} where {} = 7_777"
    assert ingested.query(spoilt.format("tag_ages", "updated_age_days")) == [{"n": 0}]
    assert ingested.query(spoilt.format("base_images", "repository_count")) != [{"n": 0}]
    assert ingested.query("from reports.daily_growth") == growth
    assert list(ingested.directory.glob(".building*")) == []


def spoil(site: Site, statement: str) -> None:
    """Write something else to the state, from which the next run goes on."""
    with duckdb.connect(str(site.directory / ".state.duckdb")) as con:
        con.execute(statement)


def test_a_report_alone_needs_something_published(site: Site) -> None:
    """It says what to launch."""
    site.set_environment()
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(WarehouseMissing, match="launch the job `ingest` first"),
    ):
        alone("tag_ages").execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["reports", "tag_ages"])]
        )


def test_a_run_tells_in_plain_lines_what_happened(
    first_run: tuple[Site, dg.DagsterInstance],
) -> None:
    """One or two a step, in its log."""
    site, instance = first_run
    (run_id,) = instance.get_run_ids()
    told = [
        entry.user_message
        for entry in instance.all_logs(run_id)
        if not entry.is_dagster_event and entry.level == logging.INFO
    ]
    requests_sent, bytes_received = site.query("select requests, received_bytes from ingest.runs")[
        0
    ].values()
    size = (site.directory / "warehouse.duckdb").stat().st_size
    received = f"{bytes_received / 1000:.1f} kB"
    assert told[0] == f"Repositories: 3 complete. It took {requests_sent} requests and {received}."
    assert told[1] == "Loaded; known now: 62 tags, 62 manifests, 122 layers."
    assert told[2] == "Asked the registry for 0 manifests and sizes."
    assert told[3].endswith(" checks: 0 failed, 0 warn.")
    assert told[4].startswith(f"Built {len(report_names())} reports of ")
    assert told[5].endswith(" checks: 0 failed, 0 warn.")
    assert told[6] == f"Published warehouse.duckdb: {size / 1e6:.1f} MB."
    assert len(told) == 7


def test_what_is_compared_from_run_to_run_is_a_number(site: Site) -> None:
    """Under the same names each time, so that Dagster plots it."""
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            site.ingest_on(instance)
        records = instance.fetch_materializations(
            dg.AssetKey(["reports", "registry_size"]), limit=10
        ).records
        told = [
            record.asset_materialization.metadata
            for record in records
            if record.asset_materialization
        ]
    for metadata in told:
        values = {
            name: value.value
            for name, value in metadata.items()
            if isinstance(value, (dg.IntMetadataValue, dg.FloatMetadataValue))
        }
        assert values.keys() - {"seconds", "stored_bytes"} == {
            "deduplicated_bytes",
            "logical_bytes",
            "saved_bytes",
            "tag_count",
            "exact_size_tag_count",
            "dagster/row_count",
        }
        # A base of 1,000 that 61 tags share, 60 layers of 10, spark's 5,000, one config of 100.
        assert values["deduplicated_bytes"] == 1000 + 60 * 10 + 5000 + 100
        assert values["tag_count"] == values["exact_size_tag_count"] == 62
    assert len(told) == 2
