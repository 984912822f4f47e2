"""A table goes to the lake in parts that stay while it grows, and comes back as it was."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.engines.lake import Lake
from pipelines.engines.mirror import fill, mirror

LONG = ("main", "long")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory."""
    with duckdb.connect() as opened:
        opened.execute("set TimeZone = 'UTC'")
        yield opened


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with nothing in it."""
    return Lake(str(tmp_path))


def test_a_table_is_cut_by_its_row_numbers(con: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """What is added changes the last part alone; what goes from one part, that one."""
    con.execute("create table long as select range as number from range(1_500_000)")
    first, last = mirror(con, lake, [LONG])[LONG].parts
    con.execute("insert into long values (7)")
    assert mirror(con, lake, [LONG])[LONG].parts[0] == first
    con.execute("delete from long where number = 3")
    changed, grown = mirror(con, lake, [LONG])[LONG].parts
    assert changed != first
    assert grown != last
    con.execute("delete from long where rowid = 1_500_000")
    assert mirror(con, lake, [LONG])[LONG].parts == [changed, last]


def test_types_have_names_that_spark_knows(
    con: duckdb.DuckDBPyConnection, lake: Lake, tmp_path: Path
) -> None:
    """Texts of manifests stay behind; an empty table has a part, and so has a view."""
    con.execute("""
        create table typed (
            name varchar, seen_at timestamptz, bytes bigint, place integer, is_old boolean,
            day date, price decimal(12, 6), share double, text blob
        )
    """)
    con.execute("create view seen as select name from typed")
    found = mirror(con, lake, [("main", "typed"), ("main", "seen"), ("main", "gone")])
    assert found["main", "typed"].columns == (
        "`name` string, `seen_at` timestamp, `bytes` BIGINT, `place` INTEGER, `is_old` BOOLEAN,"
        " `day` DATE, `price` DECIMAL(12,6), `share` DOUBLE"
    )
    assert {table: len(mirrored.parts) for table, mirrored in found.items()} == {
        ("main", "typed"): 1,
        ("main", "seen"): 1,
    }
    [part] = found["main", "seen"].parts
    assert pq.read_table(tmp_path / part).num_rows == 0


def test_rows_come_back_as_they_were(con: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """In their order, with their types."""
    con.execute("""
        create table typed as
        select 'b' as name, timestamptz '0001-01-01 00:00:00.000001+00' as seen_at, 1 as place
        union all select 'a', null, null
    """)
    [part] = mirror(con, lake, [("main", "typed")])["main", "typed"].parts
    con.execute("create table copy as from typed limit 0")
    fill(con, "copy", lake.rows(str(Path(part).parent)))
    assert con.sql("from copy").to_arrow_table() == con.sql("from typed").to_arrow_table()
