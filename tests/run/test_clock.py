"""Moments never go back, whatever the machine's clock does, and a wrong clock is reported."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import duckdb
import pytest
from ingest_site import AT, at_crawl_site, manifest, small_registry

from pipelines.emulator.messages import Request, Response
from pipelines.run.clock import RunClock, offset_warning, set_back_warning
from pipelines.run.progress import NoProgress

TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
# A state as it would be had the clock been two hours ahead.
TWO_HOURS_AHEAD = """
    update ingest.runs
    set
        as_of = as_of + interval 2 hours,
        started_at = started_at + interval 2 hours,
        finished_at = finished_at + interval 2 hours;
    update ingest.crawls
    set
        started_at = started_at + interval 2 hours,
        finished_at = finished_at + interval 2 hours;
    update tag_history set valid_from = valid_from + interval 2 hours;
    update repositories set read_at = read_at + interval 2 hours
"""


class Notices(NoProgress):
    """Keeps what a person would be shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


def test_a_run_begins_now() -> None:
    """Where no earlier run says otherwise, or one that ended before."""
    for latest in (None, datetime.now(UTC) - HOUR):
        before = datetime.now(UTC)
        clock = RunClock(latest)
        assert before <= clock.as_of <= clock.now() <= datetime.now(UTC)
        assert clock.set_back_seconds is None


def test_a_run_begins_after_all_that_is_stored() -> None:
    """By a microsecond; from then on its time passes as usual."""
    latest = datetime.now(UTC) + HOUR
    clock = RunClock(latest)
    assert clock.as_of == latest + TICK
    assert clock.set_back_seconds is not None
    assert 3599 < clock.set_back_seconds <= 3600
    moments = [clock.now() for _ in range(1000)]
    assert clock.as_of <= moments[0]
    assert moments == sorted(moments)
    assert moments[-1] < clock.as_of + HOUR


def test_a_clock_set_back_stops_nothing(tmp_path: Path) -> None:
    """The next run is dated just after the last; it says so, and its histories run forward."""
    registry = small_registry()
    with at_crawl_site(tmp_path, registry) as site:
        site.ingest()
        with duckdb.connect(site.directory / ".state.duckdb") as con:
            con.execute(TWO_HOURS_AHEAD)
            [(latest,)] = con.sql(
                "select max(moment) from (select finished_at as moment from ingest.runs"
                " union all select finished_at from ingest.crawls)"
            ).fetchall()
        registry.push("data", "spark", "latest", manifest(("new", 1)), at=AT + HOUR)
        registry.delete_repository("shop", "deep/er/app")
        site.progress = notices = Notices()
        assert site.ingest() == "complete"
        [sentence] = notices.texts
        assert sentence.startswith("This machine's clock stands 1:59:")
        _, run = site.query("from ingest.runs order by as_of")
        assert run["as_of"] == run["started_at"] == latest.astimezone(UTC) + TICK
        assert run["as_of"] <= run["finished_at"]
        assert 7100 < run["clock_set_back_seconds"] < 7200
        changes = site.query(
            "select tag, change from tag_history where valid_to is null"
            " and repository <> 'cart' order by all"
        )
        assert [list(row.values()) for row in changes] == [["1", "deleted"], ["latest", "moved"]]
        backwards = "select * from tag_history where valid_to < valid_from or valid_from_earliest"
        assert site.query(f"{backwards} > valid_from") == []
        # Histories still name the crawls that saw them.
        assert site.query(
            "select count(*) as n from tag_history anti join ingest.crawls"
            " on valid_from = finished_at"
        ) == [{"n": 0}]


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (None, None),
        (0.0, None),
        (3600.0, None),
        (-3600.0, None),
        (
            7200.4,
            (
                "This machine's clock is 2:00:00 behind the registry's: ages and dates of this run"
                " are off by that. Set the clock right."
            ),
        ),
        (
            -86400.0,
            (
                "This machine's clock is 1 day, 0:00:00 ahead of the registry's: ages and dates of"
                " this run are off by that. Set the clock right."
            ),
        ),
    ],
)
def test_a_clock_an_hour_off_the_registrys_is_reported(
    seconds: float | None, sentence: str | None
) -> None:
    """In which direction, and by how much."""
    assert offset_warning(seconds) == sentence


@pytest.mark.parametrize(("hours", "is_said"), [(0, False), (-3, True), (3, True)])
def test_the_registrys_clock_is_compared_with_ours(
    tmp_path: Path, hours: int, *, is_said: bool
) -> None:
    """By the date of its answers: said at once if it is off, and stored."""

    def dated(request: Request, response: Response) -> Response:
        del request
        now = datetime.now(UTC) + hours * HOUR
        date = {"Date": format_datetime(now, usegmt=True)}
        return Response(response.status, {**response.headers, **date}, response.body)

    with at_crawl_site(tmp_path, small_registry(), faults=[dated]) as site:
        site.progress = notices = Notices()
        assert site.ingest() == "complete"
        [run] = site.query("select clock_offset_seconds, clock_set_back_seconds from ingest.runs")
    assert abs(run["clock_offset_seconds"] - hours * 3600) <= 5
    assert run["clock_set_back_seconds"] is None
    side = "behind" if hours > 0 else "ahead of"
    assert [f"{side} the registry's" in text for text in notices.texts] == [True] * is_said


def test_a_clock_that_was_not_set_back_is_no_news() -> None:
    """Nothing is said."""
    assert set_back_warning(None) is None
