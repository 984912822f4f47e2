"""The published file is an output: whatever is done to it, runs go on, and nothing flows back."""

import lzma
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from checkout import ROOT
from warehouse_rows import crawl, ingest, rows, tag

from pipelines.errors import StateMissing, WarehouseError
from pipelines.warehouse.building import start_building
from pipelines.warehouse.connection import open_read_only
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import run_query
from pipelines.warehouse.restore import ensure_state, restore

RELEASE_BEFORE = ROOT / "tests" / "warehouse" / "stored" / "0003.duckdb.xz"
TAGS = "select tag, manifest_digest from tags order by all"
RUNS = "select run_id from ingest.runs order by all"
# What an analyst may leave: rows in a log that no checkpoint has moved into the file.
LEAVE_LOG = """
import duckdb, os, sys
con = duckdb.connect(sys.argv[1])
con.execute("set checkpoint_threshold = '1TB'; pragma disable_checkpoint_on_shutdown")
con.execute("create table mine as select 1 as n; delete from tags")
os._exit(0)
"""
HOLD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
con.execute("begin; delete from tags")
print("held", flush=True)
sys.stdin.read()
"""


def runs_on(directory: Path) -> None:
    """A second run is published, with both runs and its own tags in it."""
    ingest(directory, 2, [crawl(2)], [tag("a", "A"), tag("b", "B")])
    assert rows(directory, TAGS) == [("a", "A"), ("b", "B")]
    assert rows(directory, RUNS) == [("run 1",), ("run 2",)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A warehouse of one run."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    return tmp_path


def test_a_log_left_beside_the_published_file_is_set_aside(directory: Path) -> None:
    """Under a name with the time, for it belongs to the file it was written for."""
    published = directory / "warehouse.duckdb"
    subprocess.run([sys.executable, "-c", LEAVE_LOG, published], check=True)
    log = (directory / "warehouse.duckdb.wal").read_bytes()
    runs_on(directory)
    assert not (directory / "warehouse.duckdb.wal").exists()
    (aside,) = directory.glob("warehouse.duckdb.wal.*")
    assert aside.read_bytes() == log
    start_building(directory)
    assert publish(directory).log_set_aside is None


def test_what_an_analyst_writes_into_the_published_file_stays_there(directory: Path) -> None:
    """Their table is gone with the file, their deletion never reaches the state."""
    with duckdb.connect(directory / "warehouse.duckdb") as con:
        con.execute("create table mine as select 1; delete from tags; drop table ingest.runs")
    runs_on(directory)
    with pytest.raises(WarehouseError, match="mine"):
        run_query(directory, "from mine")


def test_a_session_that_holds_the_published_file_stops_no_run(directory: Path) -> None:
    """A reader is told who holds it; the next run publishes a file that nobody holds."""
    command = [sys.executable, "-c", HOLD, str(directory / "warehouse.duckdb")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as analyst:
        assert analyst.stdout is not None
        assert analyst.stdout.readline() == "held\n"
        with pytest.raises(WarehouseError, match=f"open for writing in process {analyst.pid}:"):
            run_query(directory, TAGS)
        runs_on(directory)
        analyst.kill()
    assert rows(directory, TAGS) == [("a", "A"), ("b", "B")]


@pytest.mark.parametrize("content", [None, b"", b"no database" * 999])
def test_a_deleted_or_damaged_published_file_stops_no_run(
    directory: Path, content: bytes | None
) -> None:
    """It is not even looked at."""
    published = directory / "warehouse.duckdb"
    published.unlink()
    if content is not None:
        published.write_bytes(content)
    runs_on(directory)


def test_both_files_are_of_a_version_that_older_clients_read(directory: Path) -> None:
    """Every one since 1.2; `make soak` opens it with that very client."""
    versions = "select tags['storage_version'] from duckdb_databases() where not internal"
    for name in ("warehouse.duckdb", ".state.duckdb"):
        with closing(open_read_only(directory / name)) as con:
            assert ("v1.2.0+",) in con.sql(versions).fetchall()


def test_a_published_file_without_its_state_stops_the_run(directory: Path) -> None:
    """History would be lost silently."""
    (directory / ".state.duckdb").unlink()
    with pytest.raises(StateMissing, match="swr-warehouse restore"):
        ensure_state(directory)
    assert restore(directory, directory / "warehouse.duckdb") is None
    runs_on(directory)


def test_a_state_that_is_replaced_is_kept_under_another_name(directory: Path) -> None:
    """With the time."""
    old = (directory / ".state.duckdb").read_bytes()
    shutil.copy(directory / "warehouse.duckdb", directory / "copy.duckdb")
    aside = restore(directory, directory / "copy.duckdb")
    assert aside is not None
    assert aside.read_bytes() == old
    runs_on(directory)


def test_what_is_no_warehouse_is_not_restored(directory: Path) -> None:
    """The state stays as it was."""
    other = directory / "other.duckdb"
    with duckdb.connect(other) as con:
        con.execute("create table t as select 1")
    with pytest.raises(WarehouseError, match=r"other\.duckdb is no warehouse"):
        restore(directory, other)
    runs_on(directory)


def test_what_the_release_before_has_published_is_taken_over(tmp_path: Path) -> None:
    """On the first run, with nothing lost; what an analyst added stays where it is."""
    published = tmp_path / "warehouse.duckdb"
    published.write_bytes(lzma.decompress(RELEASE_BEFORE.read_bytes()))
    with duckdb.connect(published) as con:
        con.execute("create table mine as select 1")
        before = {name: con.sql(f"select count(*) from {name}").fetchall() for name in TABLES}
    ensure_state(tmp_path)
    with closing(open_read_only(tmp_path / ".state.duckdb")) as con:
        after = {name: con.sql(f"select count(*) from {name}").fetchall() for name in TABLES}
        tables = con.sql("select table_name from duckdb_tables()").fetchall()
    assert after == before
    assert ("mine",) not in tables


TABLES = (
    *("tags", "tag_history", "manifests", "layers", "platforms", "repositories"),
    *("ingest.runs", "ingest.crawls", "ingest.rejected_records", "ingest.counted_records"),
)
