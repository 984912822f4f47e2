"""The checks that compare the latest run with those before it, on growth written by hand."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from described_registry import expand, warehouse

from pipelines.warehouse.checks import run_checks
from pipelines.warehouse.reports import build_reports

START = datetime(2026, 1, 1, 3, tzinfo=UTC)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse without runs; a test writes its growth."""
    with warehouse(expand({})) as connection:
        build_reports(connection)
        yield connection


def write_runs(con: duckdb.DuckDBPyConnection, runs: Sequence[dict[str, Any]]) -> None:
    """Write rows of reports.daily_growth: each gives its `day`, and what differs from nothing."""
    for number, run in enumerate(runs):
        con.execute(
            """
            insert into reports.daily_growth by name
            select $run_id as run_id, $as_of as as_of, $count as repository_count,
                $complete as repositories_complete, $before as deduplicated_before_bytes,
                $added as added_bytes, $orphaned as orphaned_bytes
            """,
            {
                "run_id": f"run-{number}",
                "as_of": START + timedelta(days=run["day"]),
                "count": run.get("count", 10),
                "complete": run.get("complete", 10),
                "before": run.get("before", 100_000),
                "added": run.get("added", 0),
                "orphaned": run.get("orphaned", 0),
            },
        )


def found(con: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """Rows one check finds."""
    [outcome] = run_checks(con, [name])
    rows: list[dict[str, Any]] = outcome.sample.to_pylist()
    return rows


@pytest.mark.parametrize(
    ("runs", "better"),
    [
        ([{"day": 0, "complete": 9}, {"day": 1, "complete": 9}], None),
        ([{"day": 0}, {"day": 1, "complete": 9}], "run-0"),
        ([{"day": 0, "count": 20, "complete": 20}, {"day": 1}], None),
        ([{"day": 0, "count": 3, "complete": 2}, {"day": 1, "complete": 6}], "run-0"),
        ([{"day": 0}, {"day": 1, "complete": 9}, {"day": 2, "complete": 9}], "run-0"),
        ([{"day": 0}, {"day": 31, "complete": 9}], None),
        ([{"day": 0, "complete": 9}, {"day": 1}], None),
        ([{"day": 0}, {"day": 1, "count": 0, "complete": 0}], None),
    ],
    ids=[
        "as before",
        "one fewer",
        "fewer repositories, all complete",
        "two of three before, six of ten now",
        "still lower on the second day",
        "better only more than thirty days ago",
        "better than before",
        "a run that read nothing",
    ],
)
def test_a_smaller_share_of_complete_repositories_is_told(
    con: duckdb.DuckDBPyConnection, runs: list[dict[str, Any]], better: str | None
) -> None:
    """Against the latest run of the last thirty days that was better."""
    write_runs(con, runs)
    rows = found(con, "daily_growth__complete_share_holds")
    assert [row["better_run_id"] for row in rows] == ([better] if better else [])


# Seven days that bring 1,100 and 900 in turn, after the first load.
WEEK = [{"day": 0, "before": 0, "added": 99_000_000}] + [
    {"day": day, "added": 1_500 + 200 * (day % 2), "orphaned": 600} for day in range(1, 8)
]


@pytest.mark.parametrize(
    ("last", "grown"),
    [
        ({"day": 8, "added": 2_300}, 2_300),
        ({"day": 8, "added": 2_000}, None),
        ({"day": 8, "orphaned": 100}, -100),
        ({"day": 10, "added": 6_900}, 2_300),
        ({"day": 10, "added": 3_000}, None),
        ({"day": 8, "added": 2_300, "before": 1_000_000}, None),
    ],
    ids=[
        "far above",
        "986 above the mean, one percent of the registry is 1,000",
        "shrinks",
        "three days' worth, each far above",
        "three days' worth of the usual",
        "less than one percent of the registry",
    ],
)
def test_unusual_growth_is_told(
    con: duckdb.DuckDBPyConnection, last: dict[str, Any], grown: int | None
) -> None:
    """A day's growth beyond four deviations and one percent of the registry."""
    write_runs(con, [*WEEK, last])
    rows = found(con, "daily_growth__is_usual")
    assert [row["grown_bytes"] for row in rows] == ([grown] if grown is not None else [])
    if rows:
        # (4 x 1,100 + 3 x 900) / 7; the deviation is 200 x sqrt(4 x 3) / 7.
        assert (rows[0]["usual_bytes"], rows[0]["deviation_bytes"]) == (1_014, 99)
        assert rows[0]["run_count"] == 7


def test_six_runs_are_too_few_to_know_what_is_usual(con: duckdb.DuckDBPyConnection) -> None:
    """The first load is no growth; without a week of runs nothing is said."""
    write_runs(con, [*WEEK[:-1], {"day": 8, "added": 50_000}])
    assert found(con, "daily_growth__is_usual") == []
