"""Builds the reports and runs the checks on Spark.

What was loaded goes to the lake as it is; Spark makes intermediates and reports there, and the
reports come back into the building file, where DuckDB would have put them. A check looks at what
the building file then holds: at what will be published.
"""

import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from duckdb import DuckDBPyConnection
from sqlglot import exp

from pipelines.engines.lake import Lake, Version
from pipelines.engines.mirror import Mirrored, fill, mirror
from pipelines.engines.session import spark_session, told
from pipelines.engines.translation import (
    Recursion,
    as_text,
    for_spark,
    is_of_catalogue,
    parsed,
    tables_in,
    text_of,
    view_of,
)
from pipelines.warehouse import checks
from pipelines.warehouse.build_plan import (
    TableName,
    going_through,
    report_names,
    walk_to_reports,
)
from pipelines.warehouse.catalog import empty_catalog
from pipelines.warehouse.check_rules import Check
from pipelines.warehouse.checks import SAMPLE_ROWS, CheckOutcome, chosen_checks
from pipelines.warehouse.reports import BuiltReport
from pipelines.warehouse.statements import statement

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Statements in hand at a time: while one waits for its last tasks, another begins.
_AT_ONCE = 4


class SparkEngine:
    """Spark, with a lake that its workers and this process reach by the same name."""

    def __init__(self, lake: Lake, where: str | None) -> None:
        """Have it use a lake; it is started, or reached, when there is something to do."""
        self._lake = lake
        self._where = where

    def build_reports(
        self,
        con: DuckDBPyConnection,
        cursors: int = 1,  # noqa: ARG002 - those of DuckDB
        *,
        names: Collection[str] | None = None,
        is_rebuilt: bool = False,
    ) -> list[BuiltReport]:
        """Do what `warehouse.reports.build_reports` does.

        Raises:
            EngineError: Spark is not there, or could not do it.
            LakeError: the lake cannot be read or written.
        """
        spark = spark_session(self._where)
        walk = walk_to_reports(names)
        _make_before(con, walk.tables)
        read = {named for table in walk.tables for named in tables_in(text_of(table).query)}
        made_anew = {table for table in walk.tables if not text_of(table).deleted}
        with self._lake.work() as work, told(), ThreadPoolExecutor(_AT_ONCE) as pool:
            state = mirror(con, self._lake, read.union(walk.tables) - made_anew)
            tables = Tables(spark, self._lake, work, is_rebuilt=is_rebuilt)
            tables.show(state)
            made = going_through(
                walk, _AT_ONCE, lambda table: pool.submit(tables.make, table), tables.drop
            )
            built = [
                BuiltReport(table[1], seconds, tables.bring_back(con, table))
                for table, seconds in made
                if table[0] == "reports"
            ]
        if {report.name for report in built} == set(report_names()):
            self._put_version(con, state | mirror(con, self._lake, _reports(built)))
        return built

    def run_checks(
        self,
        con: DuckDBPyConnection,
        names: Collection[str] | None = None,
        cursors: int = 1,
    ) -> list[CheckOutcome]:
        """Do what `warehouse.checks.run_checks` does; what asks for DuckDB's catalogue is its own.

        Raises:
            EngineError: Spark is not there, or could not do it.
            LakeError: the lake cannot be read or written.
        """
        queries = {check: cast("exp.Query", parsed(check.sql)[0]) for check in chosen_checks(names)}
        own = {check.name for check, query in queries.items() if is_of_catalogue(query)}
        outcomes = checks.run_checks(con, own, cursors)
        asked = {check: query for check, query in queries.items() if check.name not in own}
        if asked:
            spark = spark_session(self._where)
            state = mirror(con, self._lake, set[TableName]().union(*map(tables_in, asked.values())))
            with told(), ThreadPoolExecutor(_AT_ONCE) as pool:
                _show(spark, self._lake, state)
                going = [pool.submit(_run, spark, *pair) for pair in asked.items()]
                outcomes += [future.result() for future in going]
        return sorted(outcomes, key=lambda outcome: outcome.name)

    def _put_version(self, con: DuckDBPyConnection, tables: dict[TableName, Mirrored]) -> None:
        """Leave in the lake what the run has loaded and built, for others to read."""
        for run in con.sql(statement("latest_run")).to_arrow_table().to_pylist():
            parts = {".".join(table): mirrored.parts for table, mirrored in tables.items()}
            self._lake.put_version(Version(run["run_id"], parts), f"{run['as_of']:%Y%m%dT%H%M%S%f}")


def _reports(built: Iterable[BuiltReport]) -> list[TableName]:
    return [("reports", report.name) for report in built]


def _make_before(con: DuckDBPyConnection, tables: Iterable[TableName]) -> None:
    """Make the tables that rows are added to, where they are not there yet."""
    for table in tables:
        for sql in text_of(table).made_before:
            con.execute(sql)


def _show(spark: "SparkSession", lake: Lake, state: dict[TableName, Mirrored]) -> None:
    """Give what is in the lake the names by which the statements know it."""
    for table, mirrored in state.items():
        paths = [lake.for_spark(part) for part in mirrored.parts]
        rows = spark.read.schema(mirrored.columns).parquet(*paths)
        rows.createOrReplaceTempView(view_of(table))


def _run(spark: "SparkSession", check: Check, query: exp.Query) -> CheckOutcome:
    found = spark.sql(for_spark(query).sql)
    count = found.count()
    sample = found.limit(SAMPLE_ROWS if count else 0).toArrow()
    return CheckOutcome(check.name, check.is_blocking, count, sample)


class Tables:
    """The tables of one building, as Spark makes them in a folder of the lake."""

    def __init__(self, spark: "SparkSession", lake: Lake, work: str, *, is_rebuilt: bool) -> None:
        self._spark = spark
        self._lake = lake
        self._work = work
        self._is_rebuilt = is_rebuilt
        self._deleted: dict[TableName, exp.Delete] = {}

    def show(self, state: dict[TableName, Mirrored]) -> None:
        """Name what was loaded."""
        _show(self._spark, self._lake, state)

    def make(self, table: TableName) -> float:
        """Make a table; how many seconds it took."""
        started = time.perf_counter()
        text = text_of(table)
        rows = self._stored(self._query(text.query, view_of(table)), view_of(table))
        if text.deleted:
            rows = self._kept(table, text.deleted).unionByName(rows)
        rows.createOrReplaceTempView(view_of(table))
        return time.perf_counter() - started

    def drop(self, table: TableName) -> None:
        """Forget a table that nothing will read any more."""
        self._spark.catalog.dropTempView(view_of(table))
        self._lake.remove(f"{self._work}/{view_of(table)}")

    def bring_back(self, con: DuckDBPyConnection, table: TableName) -> int:
        """Put the rows of a report where DuckDB would have; how many the report has."""
        name, text = ".".join(table), text_of(table)
        if table in self._deleted:
            con.execute(self._deleted[table].sql("duckdb"))
        else:
            [entry] = [e for e in empty_catalog() if (e.schema, e.name) == table]
            columns = ", ".join(f"{column.name} {column.type}" for column in entry.columns)
            con.execute(f"create or replace table {name} ({columns})")
        fill(con, name, self._lake.rows(f"{self._work}/{view_of(table)}"))
        for comment in text.comments:
            con.execute(comment)
        [(rows,)] = con.execute(f"select count(*) from {name}").fetchall()  # noqa: S608 - ours
        return int(rows)

    def _query(self, query: exp.Query, owner: str) -> "DataFrame":
        translated = for_spark(query, is_rebuilt=self._is_rebuilt, owner=owner)
        if translated.recursion:
            self._walk(translated.recursion)
        return self._spark.sql(translated.sql)

    def _walk(self, recursion: Recursion) -> None:
        """Take steps from what the last one has found, until one finds nothing new."""
        found = self._stored(self._spark.sql(recursion.start).distinct(), f"{recursion.name}_0")
        every, number = found, 0
        while not found.isEmpty():
            number += 1
            found.createOrReplaceTempView(recursion.name)
            step = self._spark.sql(recursion.step).toDF(*found.columns)
            found = self._stored(step.subtract(every), f"{recursion.name}_{number}")
            every = every.union(found)
        every.createOrReplaceTempView(recursion.name)

    def _kept(self, table: TableName, delete: exp.Delete) -> "DataFrame":
        """The rows of earlier runs that stay: all but those of the runs that are told anew."""
        answered = delete.copy()
        for found in list(answered.find_all(exp.In)):
            rows = self._query(found.args["query"].this, view_of(table)).collect()
            values = [exp.Literal.string(row[0]) for row in rows]
            known = exp.In(this=found.this, expressions=values)
            found.replace(known if values else exp.false())
        self._deleted[table] = answered
        condition = as_text(answered.args["where"].this)
        return self._spark.table(view_of(table)).where(f"not ({condition})")

    def _stored(self, rows: "DataFrame", folder: str) -> "DataFrame":
        """Write rows down and read them from there: nothing of them is ever made twice."""
        path = self._lake.for_spark(f"{self._work}/{folder}")
        rows.write.parquet(path)
        return self._spark.read.schema(rows.schema).parquet(path)
