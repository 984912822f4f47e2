"""What DuckDB's SQL becomes for Spark, where sqlglot does not know it by itself."""

from typing import cast

import pytest
import sqlglot
from sqlglot import exp

from pipelines.engines.translation import for_spark, is_of_catalogue, parsed, tables_in, text_of
from pipelines.warehouse.build_plan import intermediates, report_names
from pipelines.warehouse.checks import all_checks

SHARE = "((a) DIV (2) + CASE WHEN (b) <= (a) % (2) THEN 1 ELSE 0 END)"


def translated(sql: str) -> str:
    """A query for Spark."""
    return for_spark(cast("exp.Query", parsed(sql)[0])).sql


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            "select tags.tag from main.tags",
            "SELECT tags.tag FROM main__tags AS tags",
        ),
        (
            "from main.layers as l anti join (select x from main.a as t) as k using (x)",
            "SELECT * FROM main__layers AS l ANTI JOIN (SELECT x FROM main__a AS t) AS k USING (x)",
        ),
        ("select sum(a + b) from c", "SELECT SUM((a + b) * 1BD) FROM c"),
        (
            "select sum(cast(a as hugeint)) over (order by b)",
            "SELECT SUM((CAST(a AS DECIMAL(38, 0))) * 1BD) OVER (ORDER BY b NULLS LAST)",
        ),
        (
            "select row_number() over () as key, a from b",
            "SELECT MONOTONICALLY_INCREASING_ID() AS key, a FROM b",
        ),
        (
            "select cast(row_number() over (order by a) as integer) from b",
            "SELECT CAST(ROW_NUMBER() OVER (ORDER BY a NULLS LAST) AS INT) FROM b",
        ),
        ("select epoch_us(a) // 10", "SELECT UNIX_MICROS(a) DIV 10"),
        ("select extract(epoch from a)", "SELECT UNIX_MICROS(a) / 1000000D"),
        ("select a - to_days(3)", "SELECT a - MAKE_DT_INTERVAL(3)"),
        ("select cast(a at time zone 'UTC' as date)", "SELECT CAST(a AS DATE)"),
        (
            "select equal_share(equal_share(a, 2, b), 3, c)",
            f"SELECT (({SHARE}) DIV (3) + CASE WHEN (c) <= ({SHARE}) % (3) THEN 1 ELSE 0 END)",
        ),
    ],
)
def test_a_query_is_said_as_spark_has_it(ours: str, theirs: str) -> None:
    """Views for tables, decimals for huge integers, other names for a few functions."""
    assert translated(ours) == theirs


def test_a_recursive_query_comes_in_its_parts() -> None:
    """The start, the step from the last rows found, and the rest that reads all of them."""
    sql = """
        with recursive
        firsts as (select a from main.tags),
        walk as (
            select a from firsts
            union
            select walk.a + 1 as a from walk inner join firsts on walk.a = firsts.a
        )
        select max(a) from walk
    """
    found = for_spark(cast("exp.Query", parsed(sql)[0]), owner="of")
    firsts = "WITH firsts AS (SELECT a FROM main__tags AS tags) SELECT"
    assert found.sql == f"{firsts} MAX(a) FROM of__walk AS walk"
    assert found.recursion is not None
    assert found.recursion.start == f"{firsts} a FROM firsts"
    assert found.recursion.step == (
        f"{firsts} walk.a + 1 AS a FROM of__walk AS walk INNER JOIN firsts ON walk.a = firsts.a"
    )


def test_rows_of_earlier_runs_are_made_anew_on_request() -> None:
    """What DuckDB has as a macro of the connection."""
    query = text_of(("intermediate", "new_history")).query
    assert for_spark(query).sql.endswith(" OR told.run_id IS NULL OR FALSE")
    assert for_spark(query, is_rebuilt=True).sql.endswith(" OR told.run_id IS NULL OR TRUE")


def test_no_function_is_left_that_only_duckdb_has() -> None:
    """Of all tables and checks, but for those that ask DuckDB for its own catalogue."""
    tables = [("intermediate", name) for name in intermediates()]
    tables += [("reports", name) for name in report_names()]
    queries = [text_of(table).query for table in tables]
    queries += [cast("exp.Query", parsed(check.sql)[0]) for check in all_checks()]
    unknown = {
        call.name.lower()
        for query in queries
        if not is_of_catalogue(query)
        for call in sqlglot.parse_one(for_spark(query).sql, dialect="spark").find_all(exp.Anonymous)
    }
    assert unknown <= {"unix_micros", "make_dt_interval", "monotonically_increasing_id"}


def test_tables_are_those_with_a_schema() -> None:
    """Others are names of the query's own."""
    [query] = parsed("with own as (from main.tags) select * from own, reports.gaps")
    assert tables_in(query) == {("main", "tags"), ("reports", "gaps")}
