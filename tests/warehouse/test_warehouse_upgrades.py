"""Warehouses of earlier versions, kept as `stored/<last migration>.duckdb.xz`, move forward.

Each was made by the version that shipped that migration last, by two runs over a part of the
built-in registry: between them a tag moved, one was deleted, a broken record came, and one
repository could not be read the second time.
"""

import lzma
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from warehouse_rows import crawl, ingest, rows

from pipelines.errors import WarehouseError
from pipelines.run.known import StoredRepositories
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.checks import raise_if_blocked, run_checks
from pipelines.warehouse.migrations import pending
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import run_query
from pipelines.warehouse.reclaimable import reclaimable_bytes
from pipelines.warehouse.reports import build_reports
from pipelines.warehouse.restore import ensure_state

STORED = Path(__file__).resolve().parent / "stored"
VERSIONS = sorted(path.name.removesuffix(".duckdb.xz") for path in STORED.iterdir())
COUNTERS = """
    select run_id, failed_namespaces, received_bytes, pages, tags_received, rejected_records,
        repositories_complete, repositories_unchanged, repositories_incomplete,
        repositories_failed, repositories_missing
    from ingest.runs order by run_id
"""
# Kills itself where a function is entered for the n-th time: no clean-up, no rollback. The hash is
# taken between a migration and its bookkeeping; the transaction is entered again to commit.
KILLED_IN_MID_MIGRATION = """
import os, signal, sys
from pathlib import Path
from pipelines.warehouse.restore import ensure_state

directory, function, left = sys.argv[1], sys.argv[2], int(sys.argv[3])

def watch(frame, event, _):
    global left
    within = frame.f_code.co_filename.endswith(("migrations.py", "connection.py"))
    called_by_pending = frame.f_back and frame.f_back.f_code.co_name == "pending"
    if event == "call" and frame.f_code.co_name == function and within and not called_by_pending:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(watch)
ensure_state(Path(directory))
"""
MOMENTS = [("_sha256", 1), ("_sha256", 4), ("transaction", 2), ("transaction", 4)]


@pytest.fixture(params=VERSIONS)
def directory(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A directory with a warehouse of an earlier version."""
    packed = STORED / f"{request.param}.duckdb.xz"
    (tmp_path / "warehouse.duckdb").write_bytes(lzma.decompress(packed.read_bytes()))
    return tmp_path


def contents(path: Path) -> dict[str, list[dict[str, object]]]:
    """Every row of every table, by table, and of the layers, which were one."""
    with duckdb.connect(path, read_only=True) as con:
        rows = con.sql("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        return {
            name: con.sql(f"from {name} order by all").to_arrow_table().to_pylist()
            for name in {"main.layers", *(name for (name,) in rows)}
        }


def test_the_first_released_schema_is_among_the_stored() -> None:
    """It must stay readable for as long as there is this project."""
    assert VERSIONS[0] == "0001"


def test_an_old_warehouse_moves_forward_and_loses_nothing(directory: Path) -> None:
    """Every row keeps what it held; reports follow the rules of today."""
    before = contents(directory / "warehouse.duckdb")
    ensure_state(directory)
    start_building(directory)
    with connect_building(directory) as con:
        assert pending(con) == []
        build_reports(con)
        raise_if_blocked(run_checks(con))
    publish(directory)
    after = contents(directory / "warehouse.duckdb")
    del before["ingest.migrations"]
    for name, old in before.items():
        if name.startswith("reports."):
            continue
        columns = old[0].keys() if old else ()
        kept = [{column: row[column] for column in columns} for row in after[name]]
        assert sorted(map(repr, kept)) == sorted(map(repr, old)), name


def test_no_rules_are_known_of_an_earlier_release(directory: Path) -> None:
    """Its state has no table of them until the run that reads them has loaded."""
    ensure_state(directory)
    with closing(StoredRepositories(directory)) as stored:
        assert stored.names()
        assert stored.rules() == {}


def test_runs_of_before_are_counted_from_the_crawl_log(tmp_path: Path) -> None:
    """As far as that tells; what it does not is null, and a new run has it all."""
    packed = STORED / "0001.duckdb.xz"
    (tmp_path / "warehouse.duckdb").write_bytes(lzma.decompress(packed.read_bytes()))
    ensure_state(tmp_path)
    ingest(tmp_path, 1, [crawl(1, received=3, pages=2), crawl(1, "missing", repository="gone")])
    assert rows(tmp_path, COUNTERS) == [
        ("run 1", 0, 0, 3, 3, 0, 1, 0, 0, 0, 1),
        ("run-1", None, None, 9, 143, 0, 9, 0, 0, 0, 0),
        ("run-2", None, None, 9, 104, 1, 2, 6, 0, 1, 0),
    ]


@pytest.mark.parametrize(("function", "time"), MOMENTS)
def test_a_process_killed_in_mid_migration_leaves_the_old_file(
    directory: Path, function: str, time: int
) -> None:
    """Byte for byte, and nothing of the migration elsewhere; the next one starts from it."""
    old = (directory / "warehouse.duckdb").read_bytes()
    command = [sys.executable, "-c", KILLED_IN_MID_MIGRATION, str(directory), function, str(time)]
    killed = subprocess.run(command, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (directory / "warehouse.duckdb").read_bytes() == old
    with duckdb.connect(directory / ".building.duckdb") as con:
        assert pending(con) != []
    ensure_state(directory)
    start_building(directory)
    with connect_building(directory) as con:
        assert pending(con) == []


def test_a_question_about_an_earlier_release_s_warehouse_says_what_to_do(tmp_path: Path) -> None:
    """It lacks what the question reads; a query of its own tables is answered all the same."""
    text = lzma.decompress((STORED / "0003.duckdb.xz").read_bytes())
    (tmp_path / "warehouse.duckdb").write_bytes(text)
    with pytest.raises(WarehouseError, match=r"earlier release .* run `swr-warehouse ingest`"):
        reclaimable_bytes(tmp_path, "from tags")
    assert run_query(tmp_path, "select count(*) > 0 as any from tags").to_pylist() == [
        {"any": True}
    ]
