"""Runs that are dated back, as the demo's history is, leave what runs of those days had left."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from page_site import change, page_registry, page_settings

from pipelines.run.clock import present, turned_to
from pipelines.run.ingest import ingest, ingest_without_reports
from pipelines.run.progress import NoProgress, Progress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import Settings
from pipelines.warehouse.query import run_query

FIRST = datetime(2026, 3, 2, 3, tzinfo=UTC)
WEEK = timedelta(weeks=1)
A_MINUTE = timedelta(minutes=1)
GROWTH = ("daily_growth", "repository_growth", "namespace_growth", "tag_events")
Run = Callable[[Settings, RunRequest, Progress], object]


def history(directory: Path, run: Run) -> dict[str, list[dict[str, Any]]]:
    """Two weeks by one kind of run, then a whole one; rows of growth but for what a run names."""
    registry = page_registry()
    with page_settings(directory, registry, write_page=False) as settings:
        for week, each in enumerate((run, run, ingest)):
            with turned_to(FIRST + week * WEEK):
                each(
                    settings, RunRequest(str(uuid.uuid4()), full=False, scope=Scope()), NoProgress()
                )
            if week == 0:
                change(registry)
    return {
        table: [
            {name: value for name, value in row.items() if not isinstance(value, datetime)}
            | {"run_id": None}
            for row in run_query(directory, f"from reports.{table} order by all").to_pylist()
        ]
        for table in GROWTH
    }


def test_growth_is_the_same_if_only_the_last_run_builds_reports(tmp_path: Path) -> None:
    """Row by row, of each run."""
    plain = history(tmp_path / "without", ingest_without_reports)
    whole = history(tmp_path / "with", ingest)
    assert sorted(row["day"] for row in plain["daily_growth"]) == [
        (FIRST + week * WEEK).date() for week in range(3)
    ]
    for table in GROWTH:
        assert sorted(map(str, plain[table])) == sorted(map(str, whole[table])), table


def test_every_moment_of_a_run_is_dated_back(tmp_path: Path) -> None:
    """It begins, reads, asks and ends within seconds of the moment that was told."""
    history(tmp_path, ingest)
    moments = run_query(
        tmp_path,
        "select as_of, runs.finished_at,"
        " min(crawls.started_at) as began, max(crawls.finished_at) as ended, max(asked_at) as asked"
        " from ingest.runs join ingest.crawls using (run_id)"
        " join ingest.service_figures using (run_id) group by all order by as_of",
    ).to_pylist()
    assert len(moments) == 3
    for week, row in enumerate(moments):
        told = FIRST + week * WEEK
        assert all(told <= moment < told + A_MINUTE for moment in row.values()), row


def test_the_clock_is_turned_for_a_while_only() -> None:
    """Also if the run fails."""

    def fail_on_that_day() -> None:
        with turned_to(FIRST):
            assert FIRST <= present() < FIRST + A_MINUTE
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_on_that_day()
    assert abs(present() - datetime.now(UTC)) < A_MINUTE
