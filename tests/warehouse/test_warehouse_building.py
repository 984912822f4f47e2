"""The building file: private, made from the published one, and honest about what is in its way."""

import shutil
import stat
from pathlib import Path

import duckdb
import pytest
from warehouse_rows import crawl, ingest, rows, tag

from pipelines.errors import MigrationChanged, WarehouseError, WarehouseMissing
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.connection import retry_with_more_memory
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import connect_published


def test_a_building_file_begins_as_a_copy_of_the_published_one(tmp_path: Path) -> None:
    """What is written to it is not seen by readers until it is published."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        assert con.sql("select tag from tags").fetchall() == [("a",)]
        con.execute("delete from tags")
    assert rows(tmp_path, "select tag from tags") == [("a",)]
    publish(tmp_path)
    assert rows(tmp_path, "select tag from tags") == []


def test_steps_of_one_run_continue_each_other(tmp_path: Path) -> None:
    """Each opens the file anew and finds what the one before committed."""
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        con.execute("create table reports.step as select 1 as number")
    with connect_building(tmp_path) as con:
        con.execute("insert into reports.step select 2")
    with connect_building(tmp_path) as con:
        assert con.sql("from reports.step order by number").fetchall() == [(1,), (2,)]


def test_moments_are_in_utc(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever the machine stands."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        assert con.sql("select (timestamptz '2024-05-01 23:30:00+00')::varchar").fetchall() == [
            ("2024-05-01 23:30:00+00",)
        ]


def test_what_a_dead_run_left_is_thrown_away(tmp_path: Path) -> None:
    """Its building file, log and temporary files; the published one is untouched."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    shutil.copy(tmp_path / "warehouse.duckdb", tmp_path / ".building.duckdb")
    (tmp_path / ".building.duckdb.wal").write_bytes(b"half a log")
    (tmp_path / ".building.duckdb.tmp").mkdir()
    (tmp_path / ".building.duckdb.tmp" / "spilled").write_bytes(b"rows")
    start_building(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".building.duckdb",
        ".state.duckdb",
        "warehouse.duckdb",
    ]


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """New or copied, building or published; the directory too, if it is made here."""
    directory = tmp_path / "new" / "data"
    start_building(directory)
    assert _mode(directory) == 0o700
    assert _mode(directory / ".building.duckdb") == 0o600
    published = publish(directory).path
    assert _mode(published) == 0o600
    assert _mode(directory / ".state.duckdb") == 0o600
    (directory / ".state.duckdb").chmod(0o644)
    start_building(directory)
    assert _mode(directory / ".building.duckdb") == 0o600


def test_a_step_that_fails_leaves_the_connection_closed(tmp_path: Path) -> None:
    """So that the file can be opened again, and nothing else is hidden."""
    start_building(tmp_path)
    with pytest.raises(ZeroDivisionError), connect_building(tmp_path) as con:
        raise ZeroDivisionError
    with pytest.raises(duckdb.ConnectionException):
        con.execute("select 1")
    with connect_building(tmp_path) as con:
        assert con.sql("select count(*) from tags").fetchall() == [(0,)]


def test_a_step_without_a_building_file_says_so(tmp_path: Path) -> None:
    """It must not make an empty one."""
    with (
        pytest.raises(WarehouseMissing, match="begin with the first step"),
        connect_building(tmp_path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_warehouse_is_named_with_the_way_out(tmp_path: Path) -> None:
    """For writers and for readers; the files stay as they are."""
    path, state = tmp_path / "warehouse.duckdb", tmp_path / ".state.duckdb"
    path.write_bytes(b"not a database" * 1000)
    state.write_bytes(b"not a database" * 1000)
    with pytest.raises(WarehouseError) as raised:
        start_building(tmp_path)
    assert str(raised.value).startswith(f"The state {state} is damaged (")
    assert f"`swr-warehouse restore {path}`" in str(raised.value)
    assert state.read_bytes() == b"not a database" * 1000
    with pytest.raises(WarehouseError, match="cannot be opened or read"):
        connect_published(tmp_path)
    assert path.read_bytes() == b"not a database" * 1000


@pytest.mark.parametrize("kept", [0, 1000, 5000, 300_000])
def test_a_cut_off_state_is_damaged(tmp_path: Path, kept: int) -> None:
    """Wherever it was cut."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    path = tmp_path / ".state.duckdb"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WarehouseError, match="is damaged"):
        start_building(tmp_path)


def test_no_damaged_block_is_used_or_raises_anything_else(tmp_path: Path) -> None:
    """A wrong bit in any block is reported as damage, at whichever step it is met."""
    tags = [tag(f"tag {number}", f"digest {number}") for number in range(2000)]
    ingest(tmp_path, 1, [crawl(1)], tags)
    path = tmp_path / ".state.duckdb"
    whole = path.read_bytes()
    for block in range(len(whole) // 2**18):
        damaged = bytearray(whole)
        damaged[block * 2**18 + 20_000] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(WarehouseError, match=r"`swr-warehouse restore"):
            ingest(tmp_path, 2, [crawl(2)], tags[1:])


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file is in its place."""
    directory = tmp_path / "data"
    directory.write_text("")
    with pytest.raises(WarehouseError, match=f"{directory} cannot be written .*SWR_WAREHOUSE_DIR"):
        start_building(directory)
    directory.unlink()
    (directory / ".building.duckdb.tmp").parent.mkdir()
    start_building(directory)


def test_a_full_disk_is_reported_in_a_sentence(tmp_path: Path) -> None:
    """Whatever is written when it happens: here spilled rows that may take no room."""
    start_building(tmp_path)
    with (
        pytest.raises(WarehouseError, match=r"\.building\.duckdb could not be read or written"),
        connect_building(tmp_path) as con,
    ):
        con.execute(
            "set memory_limit = '40MB'; set max_temp_directory_size = '1MB';"
            "create temp table big as select range::varchar as n from range(20_000_000)"
        )


def test_a_sentence_that_the_memory_limit_is_too_tight_for_gets_half_as_much_more(
    tmp_path: Path,
) -> None:
    """And so on until it is enough, and no more: not all that DuckDB does can go on on disk."""
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        con.execute("set memory_limit = '20MB'; set max_temp_directory_size = '0MB'")
        many = "select count(distinct range::varchar) from range(1_000_000)"
        with pytest.raises(duckdb.OutOfMemoryException):
            con.execute(many)
        assert retry_with_more_memory(con, lambda: con.execute(many).fetchall()) == [(1_000_000,)]
        limit = con.execute("select parse_formatted_bytes(current_setting('memory_limit'))")
        # Raised one to six times, to within what DuckDB rounds when it tells.
        raised = limit.fetchall()[0][0] / 20e6
        assert any(raised == pytest.approx(1.5**times, rel=0.02) for times in range(1, 7))


def test_a_migration_problem_is_told_as_it_is(tmp_path: Path) -> None:
    """And not as a damaged file."""
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        con.execute("update ingest.migrations set sha256 = 'another'")
    publish(tmp_path)
    with pytest.raises(MigrationChanged):
        start_building(tmp_path)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
