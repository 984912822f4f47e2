"""Publishing is a rename: readers keep the file they have open, and find the new one next time."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from warehouse_rows import crawl, ingest, rows, tag

from pipelines.errors import WarehouseMissing
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import connect_published

DIE = """
import os, sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("create table reports.logged as select 7 as n")
os._exit(0)
"""
READ_TWICE = """
import sys
from pathlib import Path
from pipelines.warehouse.query import connect_published
old = connect_published(Path(sys.argv[1]))
print(old.sql("select tag from tags order by tag").fetchall(), flush=True)
sys.stdin.readline()
new = connect_published(Path(sys.argv[1]))
print(old.sql("select tag, manifest_digest from tags order by tag").fetchall())
print(new.sql("select tag, manifest_digest from tags order by tag").fetchall())
"""


def test_a_reader_in_another_process_keeps_its_data(tmp_path: Path) -> None:
    """It neither blocks the run nor is disturbed by it; its next connection sees the new."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    with subprocess.Popen(
        [sys.executable, "-c", READ_TWICE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout
        assert reader.stdout.readline() == "[('a',), ('b',)]\n"
        ingest(tmp_path, 2, [crawl(2)], [tag("b", "X", 1)])
        output, _ = reader.communicate("go on\n")
    assert output == "[('a', 'A'), ('b', 'B')]\n[('b', 'X')]\n"
    assert reader.returncode == 0


def test_a_reader_in_this_process_keeps_its_data(tmp_path: Path) -> None:
    """Connections of this room do not share an open file by its path."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    with closing(connect_published(tmp_path)) as old:
        ingest(tmp_path, 2, [crawl(2)], [tag("b", "B")])
        assert old.sql("select tag from tags").fetchall() == [("a",)]
        assert rows(tmp_path, "select tag from tags") == [("b",)]


def test_only_the_state_and_the_published_file_are_left(tmp_path: Path) -> None:
    """Even if a plain connection left a log beside the building file."""
    start_building(tmp_path)
    subprocess.run([sys.executable, "-c", DIE, tmp_path / ".building.duckdb"], check=True)
    assert (tmp_path / ".building.duckdb.wal").exists()
    assert publish(tmp_path) == (tmp_path / "warehouse.duckdb", None)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".state.duckdb", "warehouse.duckdb"]
    assert rows(tmp_path, "from reports.logged") == [(7,)]


def test_nothing_is_published_without_a_building_file(tmp_path: Path) -> None:
    """What was published stays."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    with pytest.raises(WarehouseMissing):
        publish(tmp_path)
    assert rows(tmp_path, "select tag from tags") == [("a",)]


def test_a_plain_connection_can_read_what_was_published(tmp_path: Path) -> None:
    """Under whatever name the file has, views included."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes((tmp_path / "warehouse.duckdb").read_bytes())
    with duckdb.connect(copy, read_only=True) as con:
        assert con.sql("select count(*) from tag_layers").fetchall() == [(0,)]
        assert con.sql("select tag from tags").fetchall() == [("a",)]


def test_two_connections_cannot_build_at_once(tmp_path: Path) -> None:
    """A connection that was left open shows itself instead of writing to an old file."""
    start_building(tmp_path)
    with (
        connect_building(tmp_path),
        pytest.raises(duckdb.Error, match="already attached"),
        connect_building(tmp_path),
    ):
        pass
