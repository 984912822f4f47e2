"""Read-only SQL: what it may do, what it answers, and what it is written as."""

import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_once import made_once
from warehouse_rows import crawl, ingest, tag

from pipelines.errors import WarehouseError, WarehouseMissing, WarehouseShortOfMemory
from pipelines.warehouse.connection import cursor
from pipelines.warehouse.query import (
    Format,
    connect_published,
    is_published,
    open_published,
    run_query,
    write_result,
)

MANY_TYPES = """
    select
        timestamptz '2024-05-01 12:00:00+02' as at,
        timestamptz '2024-05-01 12:00:00.5+00' as fraction,
        date '2024-05-01' as day,
        9007199254740993 as big,
        12345678901234567890123456789012345678::hugeint as huge,
        1.50::decimal(9, 2) as price,
        'comma, "quote"' as text,
        '' as empty,
        null::varchar as nothing,
        null::bigint as no_number,
        true as yes,
        [1, 2] as list,
        {'a': timestamptz '2024-05-01 00:00:00+00'} as struct
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the warehouse is kept: a query may damage its copy only."""
    return tmp_path_factory.mktemp("kept") / "warehouse"


@pytest.fixture
def directory(tmp_path: Path, kept: Path) -> Path:
    """A published warehouse with two tags."""
    tags = [tag("a", "A"), tag("b", "B")]
    made_once(kept, tmp_path, lambda: ingest(tmp_path, 1, [crawl(1)], tags))
    return tmp_path


@pytest.fixture
def written() -> Iterator[io.BytesIO]:
    """A stream that must not be closed by who writes to it."""
    stream = io.BytesIO()
    yield stream
    assert not stream.closed


def test_a_query_answers_with_a_table(directory: Path) -> None:
    """Moments know that they are UTC."""
    answer = run_query(directory, "select tag, first_seen_at from tags order by tag")
    moment: pa.DataType = pa.timestamp("us", tz="UTC")
    assert answer.schema == pa.schema([("tag", pa.string()), ("first_seen_at", moment)])
    seen = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    assert answer.to_pylist() == [
        {"tag": "a", "first_seen_at": seen},
        {"tag": "b", "first_seen_at": seen},
    ]


def test_columns_of_the_same_name_are_numbered(directory: Path) -> None:
    """So that none is lost on the way to JSON."""
    answer = run_query(directory, "select 1 as n, 2 as n_1, 3 as n, 4 as n")
    assert answer.to_pylist() == [{"n": 1, "n_1": 2, "n_2": 3, "n_3": 4}]


def test_a_query_without_an_answer_has_no_columns(directory: Path) -> None:
    """Nothing to show is no mistake."""
    assert run_query(directory, "-- nothing").num_columns == 0


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select * from tagz", 'Table with name tagz does not exist! Did you mean "tags"?'),
        ("selec 1", 'syntax error at or near "selec"'),
        ("select 1 / 'x'", "Could not convert string 'x' to"),
        ("select error('stop')", "stop"),
    ],
)
def test_a_wrong_query_is_told_in_duckdb_s_words(directory: Path, sql: str, message: str) -> None:
    """In one line, without the excerpt of the SQL."""
    with pytest.raises(WarehouseError) as raised:
        run_query(directory, sql)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "LINE 1" not in str(raised.value)


@pytest.mark.parametrize(
    "sql",
    [
        "delete from tags",
        "create table t as select 1",
        "drop table tags",
        "copy tags to '{0}/tags.csv'",
        "select * from read_csv('{0}/secret.csv')",
        "select * from read_text('{0}/secret.csv')",
        "select * from '{0}/secret.csv'",
        "select * from glob('{0}/*')",
        "attach '{0}/other.duckdb'",
        "export database '{0}/export'",
        "install httpfs",
        "select * from 'https://127.0.0.1:1/data.parquet'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set TimeZone = 'Asia/Tokyo'",
        "select * from directory",
        "select getenv('PATH')",
        "from sniff_csv('{0}/secret.csv')",
        "import database '{0}'",
        "from duckdb_secrets()",
        "create secret (type s3, key_id 'a', secret 'b')",
        "load httpfs",
        "call enable_logging(storage = 'file', storage_path = '{0}/log')",
        "set temp_directory = '{0}'",
        "use memory; detach warehouse",
        "use memory; detach warehouse; attach '{0}/warehouse.duckdb' as w; delete from w.tags",
        "select 1; delete from tags",
        "select 1;;select 2",
        "explain analyze delete from tags",
        "explain (format json) delete from tags",
        "explain analyze attach '{0}/other.duckdb'",
        "with gone as (delete from tags returning *) from gone",
        "pivot tags on tag using count(*); delete from tags",
        "call pragma_version()",
        "pragma memory_limit = '1GB'",
        "prepare p as delete from tags",
        "begin",
        "vacuum",
        "from query('delete from tags returning *')",
        "/* select */ drop table tags",
    ],
)
def test_a_query_cannot_leave_the_warehouse(directory: Path, sql: str) -> None:
    """It changes nothing, and reads and writes no other file, network address or variable."""
    (directory / "secret.csv").write_text("password\nhunter2\n")
    files = sorted(directory.iterdir())
    with pytest.raises(WarehouseError):
        run_query(directory, sql.format(directory))
    assert sorted(directory.iterdir()) == files
    assert run_query(directory, "select count(*) as n from tags").to_pylist() == [{"n": 2}]


@pytest.mark.parametrize(
    "sql",
    [
        "from tags",
        "select * from tags; ",
        "values (1), (2)",
        "table tags",
        "with t as (from tags) from t",
        "pivot tags on manifest_digest using count(*) group by tag;",
        "from (pivot tags on manifest_digest using count(*) group by tag)",
        "unpivot (select tag, repository from tags) on tag, repository into name n value v",
        "describe tags",
        "summarize tags",
        "show tables",
        "explain from tags",
        "EXPLAIN ANALYZE select * from tags",
        "explain (format json) from tags",
        "-- the tags\nfrom tags -- all of them",
        "select ';' as \"a;b\"",
    ],
)
def test_every_kind_of_query_is_answered(directory: Path, sql: str) -> None:
    """Whatever it begins with."""
    assert run_query(directory, sql).num_rows > 0


def test_several_statements_are_refused_in_a_sentence(directory: Path) -> None:
    """And so is one that is no query."""
    with pytest.raises(WarehouseError) as several:
        run_query(directory, "select 1; select 2")
    assert str(several.value) == (
        "There are 2 statements, and only a query can be asked: one SELECT, or an EXPLAIN of one."
    )
    with pytest.raises(WarehouseError) as other:
        run_query(directory, "set threads = 1")
    assert str(other.value) == (
        "This is a statement of kind SET, and only a query can be asked: one SELECT, or an EXPLAIN"
        " of one."
    )


def test_connections_and_cursors_of_one_process_are_independent(directory: Path) -> None:
    """Several may be open; each has the whole warehouse before it."""
    with (
        closing(connect_published(directory)) as one,
        closing(connect_published(directory)) as two,
        closing(cursor(one)) as three,
    ):
        for con in (one, two, three):
            assert con.sql("select count(*), current_setting('TimeZone') from tags").fetchall() == [
                (2, "UTC")
            ]


def test_there_must_be_a_warehouse(tmp_path: Path) -> None:
    """The error says how to get one."""
    assert not is_published(tmp_path)
    with pytest.raises(WarehouseMissing, match="run `swr-warehouse ingest` first"):
        run_query(tmp_path, "select 1")
    assert list(tmp_path.iterdir()) == []


def test_json_is_exact_and_in_utc(directory: Path, written: io.BytesIO) -> None:
    """An array, an object a line; numbers with all their digits, moments with Z, nulls as null."""
    write_result(run_query(directory, f"{MANY_TYPES} from range(2)"), "json", written)
    row = (
        '{"at":"2024-05-01T10:00:00Z","fraction":"2024-05-01T12:00:00.500000Z",'
        '"day":"2024-05-01","big":9007199254740993,'
        '"huge":12345678901234567890123456789012345678,"price":1.50,'
        '"text":"comma, \\"quote\\"","empty":"","nothing":null,"no_number":null,"yes":true,'
        '"list":[1,2],"struct":{"a":"2024-05-01T00:00:00Z"}}'
    )
    assert written.getvalue().decode() == f"[{row},\n {row}]\n"


def test_csv_tells_null_from_empty(directory: Path, written: io.BytesIO) -> None:
    """Text is quoted, null is not; moments and what CSV has no notation for are as in JSON."""
    write_result(run_query(directory, MANY_TYPES), "csv", written)
    names = (
        '"at","fraction","day","big","huge","price","text","empty","nothing","no_number","yes",'
        '"list","struct"'
    )
    values = (
        '"2024-05-01T10:00:00Z","2024-05-01T12:00:00.500000Z","2024-05-01",9007199254740993,'
        '12345678901234567890123456789012345678,1.50,"comma, ""quote""","",,,true,'
        '"[1,2]","{""a"":""2024-05-01T00:00:00Z""}"'
    )
    assert written.getvalue().decode().splitlines() == [names, values]


def test_parquet_keeps_the_table(directory: Path, written: io.BytesIO) -> None:
    """Every type of it."""
    answer = run_query(directory, MANY_TYPES)
    write_result(answer, "parquet", written)
    written.seek(0)
    assert pq.read_table(written) == answer


@pytest.mark.parametrize(("fmt", "text"), [("json", "[]\n"), ("csv", '"n"\n')])
def test_an_empty_result_is_written_too(
    directory: Path, written: io.BytesIO, fmt: Format, text: str
) -> None:
    """With nothing but its frame."""
    write_result(run_query(directory, "select 1 as n where false"), fmt, written)
    assert written.getvalue().decode() == text


def test_a_result_can_be_written_to_a_file(directory: Path, tmp_path: Path) -> None:
    """A file that cannot be written is named."""
    answer = run_query(directory, "select 1 as n")
    write_result(answer, "csv", tmp_path / "result.csv")
    assert (tmp_path / "result.csv").read_text() == '"n"\n1\n'
    with pytest.raises(WarehouseError, match=r"missing/result\.csv"):
        write_result(answer, "csv", tmp_path / "missing" / "result.csv")


def test_what_a_format_cannot_hold_is_reported(directory: Path, written: io.BytesIO) -> None:
    """Parquet has no intervals of months."""
    with pytest.raises(WarehouseError, match="cannot be written as parquet"):
        write_result(run_query(directory, "select interval 1 month as m"), "parquet", written)


def test_a_query_that_takes_too_much_memory_damaged_nothing(tmp_path: Path) -> None:
    """What DuckDB says then is told, and no advice to move a sound warehouse away."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    with (
        pytest.raises(WarehouseShortOfMemory, match=r"not enough memory .*\(failed to pin\)"),
        open_published(tmp_path),
    ):
        raise duckdb.OutOfMemoryException("failed to pin")
