"""What can befall a warehouse: each time one clear sentence, nothing lost, and a way out."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import odd_records
import pytest
import rare_faults
from click.testing import CliRunner, Result
from ingest_site import AT, CrawlSite, manifest, small_registry
from made_once import made_once
from plain_run import run_steps

from assets.cli.launch import prepare_home
from assets.cli.main import main
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.errors import LandingError
from pipelines.settings import read_settings
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import connect_published, run_query

HOLD = """
import sys
from pathlib import Path
from pipelines.warehouse.building import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
ROWS = "select namespace, repository, tag, manifest_digest from tags order by all"


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    """A small registry that stands still."""
    with Emulator(small_registry()) as running:
        yield running


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that is kept which several tests begin with."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(autouse=True)
def directory(server: Emulator, site_settings: Callable[[str], Path]) -> Path:
    """Settings, and the directory of the warehouse."""
    return site_settings(server.url)


@pytest.fixture
def small_disk(directory: Path) -> Iterator[Path]:
    """The directory as a disk of its own, of 48 MB: four times a small warehouse."""
    directory.mkdir()
    mounted = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", directory],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield directory
    subprocess.run(["/usr/bin/umount", "--lazy", directory], check=True)


def command(*arguments: str) -> Result:
    """Run a command; nothing may escape but the exit code."""
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def refused(*arguments: str) -> str:
    """Run a command that must fail with one sentence; give it."""
    result = command(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    (sentence,) = (line for line in result.stderr.splitlines() if line.startswith("Error: "))
    assert result.stderr.endswith(f"{sentence}\n")
    return sentence.removeprefix("Error: ")


def run_once() -> None:
    """Publish a warehouse without Dagster."""
    run_steps(read_settings())


def begin_with_a_run(directory: Path, kept: Path) -> None:
    """Have the warehouse of one run, the same for each test."""
    made_once(kept / "warehouse", directory, run_once)


def go_on(server: Emulator, directory: Path) -> None:
    """Run what decides what is loaded and published, but for the reports."""
    assert CrawlSite(server, directory).ingest() == "complete"


def assert_whole(directory: Path) -> None:
    """Hold the published warehouse against the registry, row by row."""
    registry = small_registry()
    there = [
        (record["namespace"], record["name"], tag.name, tag.wire["digest"])
        for record in registry.repository_records()
        for tag in registry.tags(record["namespace"], record["name"])
    ]
    rows = [tuple(row.values()) for row in run_query(directory, ROWS).to_pylist()]
    assert rows == sorted(there)


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes of room on a disk; give the file that takes the rest."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free - left
    ballast.write_bytes(bytes(max(free, 0)))
    return ballast


@pytest.mark.parametrize("left", [0, 1_000_000])
def test_a_full_disk_publishes_nothing_and_is_got_over(
    small_disk: Path, kept: Path, left: int
) -> None:
    """Whether nothing more can be written or landing still fits; the last warehouse stays."""
    begin_with_a_run(small_disk, kept)
    old = (small_disk / "warehouse.duckdb").read_bytes()
    ballast = fill(small_disk, left)
    sentence = refused("ingest")
    assert "cannot be written (No space left on device)" in sentence
    assert "free" in sentence
    assert (small_disk / "warehouse.duckdb").read_bytes() == old
    ballast.unlink()
    run_once()
    assert_whole(small_disk)


@pytest.mark.parametrize("left", [100_000, 6_000_000, 12_000_000])
def test_a_disk_that_fills_at_any_moment_leaves_before_or_after(
    small_disk: Path, kept: Path, left: int
) -> None:
    """While it lands, loads, builds or publishes: a sentence and the old file, or a new one."""
    begin_with_a_run(small_disk, kept)
    old = (small_disk / "warehouse.duckdb").read_bytes()
    ballast = fill(small_disk, left)
    result = command("ingest")
    assert "Traceback" not in result.stderr
    if result.exit_code:
        assert "No space left on device" in result.stderr
        assert (small_disk / "warehouse.duckdb").read_bytes() == old
    assert_whole(small_disk)
    ballast.unlink()
    assert command("ingest").exit_code == 0
    assert_whole(small_disk)


def test_a_locked_store_of_dagster_is_named_and_got_over(
    directory: Path, dagster_home: Path, kept: Path
) -> None:
    """As where a backup holds it: nothing is published, and the next run goes on."""
    begin_with_a_run(directory, kept)
    # Its store is there, as from earlier runs.
    with dg.DagsterInstance.from_config(str(prepare_home())):
        pass
    old = (directory / "warehouse.duckdb").read_bytes()
    [store] = dagster_home.glob("history/runs.db")
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("begin exclusive")
        assert "cannot be written (" in refused("ingest")
    assert (directory / "warehouse.duckdb").read_bytes() == old
    assert command("ingest").exit_code == 0
    assert_whole(directory)


def test_a_read_only_disk_is_named(small_disk: Path, kept: Path) -> None:
    """It can be queried, and nothing else."""
    begin_with_a_run(small_disk, kept)
    subprocess.run(["/usr/bin/mount", "-o", "remount,ro", small_disk], check=True)
    assert refused("ingest") == (
        f"The warehouse directory {small_disk} cannot be written (Read-only file system):"
        " free some space, or set SWR_WAREHOUSE_DIR to another one."
    )
    assert_whole(small_disk)


def test_a_second_ingest_is_refused_and_the_lock_of_a_dead_one_is_not(directory: Path) -> None:
    """The first one's process is named; killed, it leaves nothing in the way."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        assert refused("ingest") == (
            f"Another run (process {holder.pid}) is writing {directory}: wait for it to end."
        )
        holder.kill()
        holder.wait()
    assert (directory / ".lock").exists()
    assert (directory / ".lock.pid").read_text() == str(holder.pid)
    assert command("ingest").exit_code == 0
    assert_whole(directory)


def test_a_warehouse_of_a_newer_version_is_left_alone(directory: Path) -> None:
    """The way out is to install what wrote it."""
    start_building(directory)
    with connect_building(directory) as con:
        con.execute("insert into ingest.migrations values (9999, '9999_later.sql', '', now())")
    path = publish(directory).path
    old = path.read_bytes()
    assert refused("ingest") == (
        "The warehouse has migration 9999_later.sql, unknown to this version of swr-warehouse:"
        " install the version that wrote it, or a newer one."
    )
    assert path.read_bytes() == old


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_warehouse_is_named_and_published_anew(
    directory: Path, kept: Path, damage: str
) -> None:
    """It is an output: the next run does not look at it."""
    begin_with_a_run(directory, kept)
    path = directory / "warehouse.duckdb"
    whole = path.read_bytes()
    path.unlink()
    contents = {"truncated": whole[:300_000], "garbage": os.urandom(5000)}
    path.write_bytes(contents.get(damage, b""))
    for arguments in (["query", "from tags"], ["report"]):
        assert str(path) in refused(*arguments)
    assert command("ingest").exit_code == 0
    assert_whole(directory)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "missing"])
def test_a_lost_state_is_restored_from_what_is_published(
    directory: Path, kept: Path, damage: str
) -> None:
    """Never silently from nothing: the run says how, and history goes on."""
    begin_with_a_run(directory, kept)
    path = directory / ".state.duckdb"
    whole = path.read_bytes()
    contents = {"truncated": whole[:300_000], "garbage": os.urandom(5000), "empty": b""}
    path.unlink()
    if damage != "missing":
        path.write_bytes(contents[damage])
    published = directory / "warehouse.duckdb"
    # What comes before is the name that the program was called by.
    assert f" restore {published}`" in refused("ingest")
    restored = command("restore", str(published))
    assert restored.exit_code == 0
    assert command("ingest").exit_code == 0
    with closing(connect_published(directory)) as con:
        counts = con.sql("select count(*), count(distinct run_id) from ingest.runs").fetchall()
    assert counts == [(2, 2)]
    assert_whole(directory)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("run.json", "garbage"),
        ("crawl.json", "garbage"),
        ("repositories.parquet", "garbage"),
        ("crawls-000001.parquet", "garbage"),
        ("pages-000001.parquet", "garbage"),
        ("pages-000001.parquet", "truncated"),
        ("pages-000001.parquet", "empty"),
        ("pages-000001.parquet", "one bit"),
        ("pages-000001.parquet", "gone"),
    ],
)
def test_a_damaged_landing_of_a_dead_run_is_read_anew(
    directory: Path, server: Emulator, kept: Path, name: str, damage: str
) -> None:
    """By itself, and only where what is damaged held records."""
    made_once(kept / "landed", directory, _die_before_load)
    (folder,) = (directory / "landing").iterdir()
    path = folder / name
    whole = path.read_bytes()
    path.unlink()
    if damage != "gone":
        flipped = bytearray(whole)
        flipped[len(whole) // 3] ^= 1
        contents = {
            "garbage": b"garbage" * 100,
            "truncated": whole[: len(whole) // 2],
            "one bit": bytes(flipped),
        }
        path.write_bytes(contents.get(damage, b""))
    go_on(server, directory)
    assert_whole(directory)
    fetched = sum(entry.path.endswith("/tags") for entry in server.log)
    assert fetched == (0 if name in ("crawl.json", "repositories.parquet") else 3)


def _die_before_load() -> None:
    def stop(step: str) -> None:
        if step == "load":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_steps(read_settings(), enter=stop)


def test_a_landing_damaged_within_its_own_run_is_named_and_got_over(
    directory: Path, server: Emulator
) -> None:
    """The run ends with a sentence, and the next one reads anew."""

    def damage(step: str) -> None:
        if step == "load":
            (part,) = (directory / "landing").glob("*/pages-*.parquet")
            part.write_bytes(part.read_bytes()[:100])

    with pytest.raises(LandingError, match="is unreadable; remove the folder"):
        run_steps(read_settings(), enter=damage)
    go_on(server, directory)
    assert_whole(directory)


def test_manifests_that_exceed_the_memory_limit_together_are_loaded(directory: Path) -> None:
    """16 MB each, in one row group, which is also written anew when a run adds to it."""
    registry = Registry()
    huge = rare_faults.altered_records(odd_records.share_of_records(odd_records.huge_manifest, 1))
    with Emulator(registry, faults=[huge]) as server:
        site = CrawlSite(server, directory)
        for tags in (13, 14):
            for number in range(tags):
                registry.push("shop", "cart", f"v{number}", manifest((f"app{number}", 10)), at=AT)
            site.ingest()
            (row,) = run_query(
                directory,
                "select count(*) as texts, sum(manifest_bytes)::bigint as bytes,"
                " bool_and(digest_verified) as verified from manifests",
            ).to_pylist()
            assert row == {"texts": tags, "bytes": tags * 2**24, "verified": True}
