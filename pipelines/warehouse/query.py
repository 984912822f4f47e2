"""Read-only SQL on the published warehouse, and its result as CSV, JSON or Parquet."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast, get_args

import duckdb
import msgspec
import pyarrow as pa
from duckdb import DuckDBPyConnection
from pyarrow.csv import write_csv
from pyarrow.parquet import write_table

from pipelines.errors import WarehouseError, WarehouseMissing, WarehouseShortOfMemory
from pipelines.warehouse.connection import (
    is_environment_failure,
    is_short_of_memory,
    one_line,
    open_for_counting,
    open_read_only,
)
from pipelines.warehouse.one_query import require_one_query
from pipelines.warehouse.resources import LEAST, Resources
from pipelines.warehouse.state import PUBLISHED, is_of_several

Format = Literal["csv", "json", "parquet"]
# Rows held as Python objects at a time.
_BATCH_ROWS = 10_000
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = frozenset("=+-@\t\r")

_REGISTRIES = "select registry from reports.registry_size order by registry"

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


def is_published(directory: Path) -> bool:
    """Whether there is a published warehouse."""
    return (directory / PUBLISHED).exists()


def connect_published(
    directory: Path, spill: Path | None = None, resources: Resources = LEAST
) -> DuckDBPyConnection:
    """Open the published warehouse: read-only, no file or network access, configuration locked.

    Other threads use `connection.cursor`: DuckDB's own cursors begin outside the warehouse. With
    a directory for what memory cannot hold it is for SQL of ours, and neither shut off nor locked.

    Raises:
        WarehouseMissing: there is none yet.
        WarehouseError: it cannot be opened.
    """
    path = directory / PUBLISHED
    if not is_published(directory):
        raise WarehouseMissing(f"There is no {path} yet: run `swr-warehouse ingest` first.")
    try:
        return open_for_counting(path, spill, resources) if spill else open_read_only(path)
    except duckdb.Error as error:
        raise _unusable(path, error) from error


@contextmanager
def open_published(
    directory: Path, spill: Path | None = None, resources: Resources = LEAST
) -> Iterator[DuckDBPyConnection]:
    """Open the published warehouse as `connect_published` does; closed in any case.

    Raises:
        WarehouseMissing: there is none yet.
        WarehouseShortOfMemory: the answer takes more than the machine has.
        WarehouseError: the SQL is wrong, in DuckDB's words; or the file cannot be read.
    """
    with closing(connect_published(directory, spill, resources)) as con:
        try:
            yield con
        except duckdb.Error as error:
            if is_short_of_memory(error):
                raise WarehouseShortOfMemory(
                    f"There is not enough memory for this query ({one_line(error)}): ask for"
                    " less at once."
                ) from error
            if is_environment_failure(error):
                raise _unusable(directory / PUBLISHED, error) from error
            raise WarehouseError(one_line(error)) from error


def require_one_registry(con: DuckDBPyConnection) -> None:
    """Refuse a warehouse of several registries: what is asked counts within one.

    Raises:
        WarehouseError: names them.
    """
    if not is_of_several(con):
        return
    names = [name for (name,) in con.execute(_REGISTRIES).fetchall()]
    if len(names) > 1:
        raise WarehouseError(
            f"This is a warehouse of several registries ({', '.join(names)}), and what is asked"
            " counts within one: choose it with --registry."
        )


def run_query(directory: Path, sql: str) -> pa.Table:
    """Answer SQL from the published warehouse; columns of the same name are numbered.

    Raises:
        WarehouseMissing: there is none yet.
        WarehouseError: the SQL is wrong; in DuckDB's words.
    """
    with open_published(directory) as con:
        answer = query_relation(con, sql)
        table = pa.table({}) if answer is None else answer.to_arrow_table()
    return table.rename_columns(_distinct(table.column_names))


def query_relation(con: DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyRelation | None:
    """What one query answers on an open warehouse; None where there is nothing but comments.

    Raises:
        WarehouseError: it is no query, or more than one statement.
    """
    require_one_query(sql)
    # That is not what the library's annotation says.
    return cast("duckdb.DuckDBPyRelation | None", con.sql(sql))


def write_result(table: pa.Table, fmt: Format, target: Path | BinaryIO) -> None:
    """Write a table to a file or a binary stream such as `sys.stdout.buffer`.

    JSON is an array of objects, one a line. Moments are ISO 8601 and in UTC, `Z` for those that
    know it; numbers stay exact. A CSV cell without quotes is null, `""` an empty text, and what
    CSV has no notation for is JSON.

    Raises:
        WarehouseError: the file cannot be written, or Parquet has no such type.
    """
    with writing(target, fmt) as file:
        _write(table, fmt, file)


@contextmanager
def writing(target: Path | BinaryIO, what: str) -> Iterator[BinaryIO]:
    """Open a file to write an answer to, which is there once it is whole, or take a stream.

    Raises:
        WarehouseError: it cannot be written as `what`.
    """
    try:
        if isinstance(target, Path):
            with _replaced(target) as file:
                yield file
        else:
            yield target
    except BrokenPipeError:
        raise
    except (OSError, pa.ArrowException) as error:
        where = f" to {target}" if isinstance(target, Path) else ""
        reason = error.strerror if isinstance(error, OSError) else error
        raise WarehouseError(f"The result cannot be written{where} as {what}: {reason}") from error


@contextmanager
def _replaced(target: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of the target once it is whole; a device is written directly."""
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def format_of(target: Path | None) -> Format | None:
    """The format that the ending of a file's name implies; None where it implies none."""
    ending = target.suffix.lower().removeprefix(".") if target else ""
    return cast("Format", ending) if ending in get_args(Format) else None


def safe_for_spreadsheets(table: pa.Table) -> pa.Table:
    """Put a quote before texts that a spreadsheet would take for a formula; numbers stay."""
    columns = [
        pa.array(map(_no_formula, column.to_pylist()), column.type)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _no_formula(text: str | None) -> str | None:
    return f"'{text}" if text and text[0] in _FORMULA else text


def _unusable(path: Path, error: duckdb.Error) -> WarehouseError:
    if "lock" in str(error):
        holder = re.search(r"\(PID (\d+)\)", str(error))
        who = f"process {holder[1]}" if holder else "another program"
        return WarehouseError(
            f"{path} is open for writing in {who}: close it there, or wait for the next run, which"
            " publishes a new file."
        )
    return WarehouseError(
        f"{path} cannot be opened or read ({one_line(error)}): the next `swr-warehouse ingest`"
        " publishes it anew."
    )


def _distinct(names: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        others = (f"{name}_{number}" for number in count(1))
        found[next(each for each in chain([name], others) if each not in found)] = None
    return list(found)


def _write(table: pa.Table, fmt: Format, file: BinaryIO) -> None:
    if fmt == "parquet":
        write_table(table, file)
    elif fmt == "csv":
        columns = [_csv_column(column) for column in table.columns]
        write_csv(pa.Table.from_arrays(columns, names=table.column_names), file)
    else:
        file.writelines(_json_lines(table))


def _json_lines(table: pa.Table) -> Iterator[bytes]:
    between = b"["
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        for row in batch.to_pylist():
            yield between + _encode(row)
            between = b",\n "
    yield b"]\n" if table.num_rows else b"[]\n"


def _csv_column(column: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any] | pa.Array[Any]":
    if pa.types.is_temporal(column.type) or pa.types.is_nested(column.type):
        return pa.array(map(_csv_text, column.to_pylist()), pa.string())
    return column


def _csv_text(value: Any) -> str | None:
    plain = msgspec.to_builtins(value, enc_hook=str)
    return plain if plain is None or isinstance(plain, str) else _encode(plain).decode()
